"""Models that may be asked before long are made ready beside everything else."""

import asyncio
import threading

import pytest
from pydantic_ai.exceptions import UserError
from pydantic_ai.models import Model
from pydantic_ai.models.test import TestModel
from temporalio.exceptions import ApplicationError

from activities.assistant import AssistantActivities
from activities.local_model import LocalModel
from activities.models import LanguageModels


class Makers:
    """Makes clients when the test lets it, and says which were made."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.gates: dict[str, threading.Event] = {}

    def infer(self, name: str) -> Model:
        """Make a client."""
        if (gate := self.gates.get(name)) and not gate.wait(10):
            raise TimeoutError
        self.made.append(name)
        if name.startswith("broken"):
            raise UserError("Set the `KEY` environment variable")
        return TestModel()


async def test_an_expected_model_is_there_when_it_is_asked_and_made_once() -> None:
    makers = Makers()
    models = LanguageModels(LocalModel(), infer=makers.infer)
    AssistantActivities("usual", models, {"clerk": ("Yes.",)}).expect([None, "other", "script:clerk", "usual"])
    first = await models.client("usual")
    assert await models.client("usual") is first
    await models.client("other")
    assert sorted(makers.made) == ["other", "usual"]
    await models.aclose()


async def test_nobody_waits_for_a_model_that_is_being_made_ready_for_others() -> None:
    makers = Makers()
    makers.gates["slow"] = threading.Event()
    models = LanguageModels(LocalModel(), infer=makers.infer)
    models.expect("slow")
    await asyncio.sleep(0)
    await models.client("quick")
    assert makers.made == ["quick"]
    makers.gates["slow"].set()
    await models.client("slow")
    assert makers.made == ["quick", "slow"]
    await models.aclose()


async def test_what_is_wrong_with_an_expected_model_is_told_when_it_is_asked() -> None:
    models = LanguageModels(LocalModel(), infer=Makers().infer)
    models.expect("broken")
    with pytest.raises(ApplicationError, match="broken can't be used: Set the `KEY` environment variable"):
        await models.client("broken")
    await models.aclose()


async def test_the_embedded_model_is_loaded() -> None:
    local = LocalModel()
    models = LanguageModels(local)
    models.expect("local")
    models.expect("local")
    assert await models.client("local")
    await models.aclose()
    local.close()
