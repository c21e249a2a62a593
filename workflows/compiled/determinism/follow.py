"""A step's code and all that it calls, held to determinism."""

import sysconfig
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import FunctionType
from typing import Final

from workflows.compiled.determinism.flaws import Flaw
from workflows.compiled.determinism.scan import Called, Scan, scan
from workflows.compiled.determinism.things import plain_function
from workflows.compiled.findings import Code, Finding, Severity, seen_from_here

_LIBRARIES: Final = tuple({f"{sysconfig.get_path(name)}/" for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_PACKAGES: Final = frozenset({"site-packages", "dist-packages"})


def determinism_findings(
    function: Callable[..., object], *, workflow: str, step: str | None, owner: type | None = None
) -> tuple[Finding, ...]:
    """Find what a function does, or has others do, that isn't the same on a replay.

    Functions that it calls are followed, each once: those of its own package, and all that are not in the
    standard library or among the installed packages. What has no source is passed over.

    Args:
        function: A step's method, a setup function, or any other.
        workflow: The workflow that it belongs to.
        step: The step that it belongs to, if it is one's.
        owner: The class that it is a method of; without it, calls by way of `self` aren't followed.
    """
    first = plain_function(function)
    if first is None:
        return ()
    findings: dict[tuple[str, int, Code], Finding] = {}
    for read, chain in _reached(Called(first, owner), step):
        for flaw in read.flaws:
            found = _allowed(read, flaw)
            if found is not None:
                told = replace(found, message=f"{found.message}{chain}")
                finding = _finding(read, told, workflow, step)
                findings.setdefault((finding.file, finding.line, finding.code), finding)
    return tuple(findings.values())


def _reached(first: Called, step: str | None) -> Iterator[tuple[Scan, str]]:
    """Everything that is run, each with the words that tell how it comes to be."""
    package = _package(first.function)
    start = f"step '{step}'" if step else f"{first.function.__name__}()"
    is_step = step in (None, first.function.__name__)
    pending = deque([(first, () if is_step else (first.function.__name__,))])
    seen = {first}
    while pending:
        called, chain = pending.popleft()
        read = scan(called.function, called.owner)
        if read is None:
            continue
        yield read, f" ({start} calls {'(), which calls '.join(chain)}())" if chain else ""
        for inner in read.calls:
            if inner not in seen and _is_own(inner.function, package):
                seen.add(inner)
                pending.append((inner, (*chain, inner.function.__name__)))


def _package(function: FunctionType) -> str:
    return (function.__module__ or "").partition(".")[0]


def _is_own(function: FunctionType, package: str) -> bool:
    path = function.__code__.co_filename
    is_library = path.startswith(_LIBRARIES) or not _PACKAGES.isdisjoint(Path(path).parts)
    return not is_library or _package(function) == package


def _allowed(read: Scan, flaw: Flaw) -> Flaw | None:
    """The flaw as it stands after comments that allow it: gone, or itself in want of a reason."""
    allowances = [one for one in read.located.source.allowances(*flaw.lines) if flaw.code in one.codes]
    if not allowances:
        return flaw
    if any(one.reason for one in allowances):
        return None
    return replace(
        flaw,
        code=Code.UNEXPLAINED_ALLOW,
        message=f"{flaw.code} is allowed without a reason",
        remedy=f"say why: # parley: allow {flaw.code} - <reason>",
    )


def _finding(read: Scan, flaw: Flaw, workflow: str, step: str | None) -> Finding:
    return Finding(
        code=flaw.code,
        severity=Severity.ERROR,
        file=seen_from_here(read.located.source.path),
        line=flaw.line,
        workflow=workflow,
        step=step,
        parameter=None,
        message=flaw.message,
        remedy=flaw.remedy,
        column=flaw.column,
        width=flaw.width,
    )
