from collections.abc import Iterator

import pytest
from temporalio.worker.workflow_sandbox import SandboxMatcher, SandboxRestrictions

from workflows.compiled.determinism.names import match


def refused(matcher: SandboxMatcher, path: str = "") -> Iterator[str]:
    yield from (path if name == "*" else f"{path}.{name}" for name in matcher.use)
    for name, inner in matcher.children.items():
        yield from refused(inner, f"{path}.{name}" if path else name)


HARMLESS = {
    # Computed from what they are given alone.
    "random.Random",
}


@pytest.mark.parametrize("name", sorted({*refused(SandboxRestrictions.invalid_module_members_default)} - HARMLESS))
def test_what_temporal_s_sandbox_refuses_is_found(name: str) -> None:
    assert match([name.replace("__builtins__", "builtins")])


@pytest.mark.parametrize(
    "name", ["httpx.URL", "pathlib.PurePath.joinpath", "datetime.datetime.fromisoformat", "uuid.UUID", "signals.names"]
)
def test_what_only_computes_is_not_found(name: str) -> None:
    assert match([name]) is None


def test_the_first_name_that_anything_is_known_of_decides() -> None:
    assert match(["httpx.URL", "random.choice"]) is None
