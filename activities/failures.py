"""What a language model's failure means: final, or to be tried again and when.

Temporal retries: clients don't. What trying again can't mend fails at once, in one line that people can read; it
never repeats what a provider said, which may hold a key.
"""

import re
from datetime import timedelta
from typing import Final

from pydantic_ai.exceptions import (
    AgentRunError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRequestRejectedError,
)
from temporalio.exceptions import ApplicationError

from signals.errors import ErrorType

PASSING: Final = frozenset({408, 409, 425, 429})
"""The HTTP statuses below 500 that trying again may mend."""

CODE: Final = re.compile(r"[a-z_]{1,40}")


class RefusedRequest(ApplicationError):  # noqa: N818 - a failure, as its base says
    """A provider refuses a request as it is: perhaps for something that can be left out."""

    def __init__(self, text: str) -> None:
        super().__init__(text, type=ErrorType.ASSISTANT_FAILED, non_retryable=True)


def final(text: str) -> ApplicationError:
    """A failure that trying again would not mend."""
    return ApplicationError(text, type=ErrorType.ASSISTANT_FAILED, non_retryable=True)


def passing(text: str, retry_after: float | None = None) -> ApplicationError:
    """A failure that trying again may mend.

    Args:
        text: What failed.
        retry_after: After how many seconds, where it was said.
    """
    wait = None if retry_after is None else timedelta(seconds=retry_after)
    return ApplicationError(text, next_retry_delay=wait)


def failure(model: str, error: Exception) -> ApplicationError:
    """Sort an error of a model's client.

    Args:
        model: The model string.
        error: What went wrong.
    """
    match error:
        case ModelHTTPError(status_code=status) if not isinstance(error, ModelQuotaExceededError) and (
            status in PASSING or status >= 500
        ):
            return passing(f"{model}: its provider answers with HTTP status {status}", error.retry_after)
        case ModelQuotaExceededError() | ModelRequestRejectedError() | ModelHTTPError():
            return _refused(model, error)
        case ModelAPIError():
            return passing(f"{model}: its provider can't be reached, or is too slow", error.retry_after)
        case AgentRunError():
            return passing(f"{model}: its provider answers with something else than a reply")
        case _:
            # Known before anything is asked: a key or a package is missing, or there is no such provider.
            return final(f"{model} can't be used: {str(error).partition('. ')[0]}")


def _refused(model: str, error: ModelAPIError) -> ApplicationError:
    reason = _reason(error)
    status = f"HTTP status {error.status_code}" if isinstance(error, ModelHTTPError) else ""
    # A code such as `unsupported_value` is all that is repeated of what the provider says.
    code = error.provider_error_code or ""
    details = ", ".join(part for part in (status, code if CODE.fullmatch(code) else "") if part)
    text = f"{model}: {reason or 'its provider refuses the request'}" + (f" ({details})" if details else "")
    return final(text) if reason or not isinstance(error, ModelRequestRejectedError) else RefusedRequest(text)


def _reason(error: ModelAPIError) -> str | None:
    match error:
        case ModelAuthenticationError():
            return "its provider refuses the key; set one that may use the model in the provider's variable"
        case ModelNotFoundError():
            return "its provider doesn't know the model; check its name"
        case ModelContextWindowExceededError():
            return "the prompt is too long for it; shorten the guidance, or name another model"
        case ModelQuotaExceededError():
            return "the account with its provider is used up; top it up, or name another model"
        case _:
            return None
