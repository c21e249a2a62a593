"""The classifier that asks a language model."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic_ai import Agent, ModelSettings
from pydantic_ai.exceptions import ModelAPIError, ModelRequestRejectedError, UnexpectedModelBehavior
from pydantic_ai.models import Model
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.support.extraction import address_in, order_in
from signals.errors import ErrorType
from signals.support import Classification, Issue, SupportRequest
from workflows.support import stubs

PROMPT: Final = Path(__file__).parent.parent / "prompts" / "classify.md"

TIME_LIMIT: Final = 8.0
"""Seconds that the model has for one answer: less than the activity has."""


class Judgement(BaseModel):
    """What the model answers."""

    model_config = ConfigDict(frozen=True)

    issue: Issue
    confidence: float = Field(ge=0, le=1)
    address: str | None = Field(default=None, max_length=300)


class ModelClassifier(stubs.Classifier):
    """Tells requests apart by asking a language model; an answer that doesn't fit counts as not knowing.

    Args:
        model: The language model. Its client should not retry by itself: Temporal does.
    """

    def __init__(self, model: Model) -> None:
        self._agent = Agent(
            model,
            output_type=Judgement,
            instructions=PROMPT.read_text(encoding="utf-8"),
            model_settings=ModelSettings(temperature=0, max_tokens=300, timeout=TIME_LIMIT),
            retries=1,
        )

    @activity.defn(name="classify")
    async def classify(self, request: SupportRequest) -> Classification:
        """Give the model's judgement; what it names must be in the request.

        Raises:
            ApplicationError: `AssistantFailed`, not retryable, when the model's provider refuses the call.
        """
        judgement = await self._judge(request.text)
        return Classification(
            issue=judgement.issue,
            confidence=judgement.confidence,
            order_id=request.order_id or order_in(request.text),
            address=_address(judgement, request.text),
        )

    async def _judge(self, text: str) -> Judgement:
        try:
            return (await self._agent.run(text)).output
        except UnexpectedModelBehavior as error:
            activity.logger.warning("the model gave no classification: %s", error.message)
            return Judgement(issue=Issue.OTHER, confidence=0)
        except ModelAPIError as error:
            raise ApplicationError(
                f"the model {error.model_name} can't classify: {' '.join(error.message.split())[:300]}",
                type=ErrorType.ASSISTANT_FAILED,
                non_retryable=isinstance(error, ModelRequestRejectedError),
                next_retry_delay=None if error.retry_after is None else timedelta(seconds=error.retry_after),
            ) from error


def _address(judgement: Judgement, text: str) -> str | None:
    """Take the model's word only for what the customer wrote: a made-up address would send a parcel astray."""
    if judgement.issue is not Issue.ADDRESS_CHANGE:
        return None
    wanted = " ".join((judgement.address or "").split())
    if len(wanted) >= 5 and wanted.casefold() in " ".join(text.split()).casefold():
        return wanted
    return address_in(text)
