"""The ledger of the books: what makes a write happen once, however often it is tried."""

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel, JsonValue, TypeAdapter
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.support.engine import writing
from activities.support.tables import LedgerRow
from signals.errors import ErrorType

Answer = TypeVar("Answer")


def idempotency_key(workflow_id: str, activity_type: str, request: JsonValue) -> str:
    """Name a write: the same for every try of it, also after a run was reset.

    Args:
        workflow_id: The id of the run that asks for it.
        activity_type: What is asked.
        request: With what.
    """
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"))
    return f"{workflow_id}/{activity_type}/{hashlib.sha256(canonical.encode()).hexdigest()}"


def reference(prefix: str, key: str) -> str:
    """Give people a short name for a write.

    Example:
        `R-5f0c91aa`
    """
    return f"{prefix}-{hashlib.sha256(key.encode()).hexdigest()[:8]}"


def once(
    engine: Engine, request: BaseModel | None, answers: type[Answer], effect: Callable[[Session, str], Answer]
) -> Answer:
    """Make the write that the running activity is for, or answer what its first try answered.

    Args:
        engine: Where the books are.
        request: What the activity was given.
        answers: The type of its answer.
        effect: Makes the write, given the transaction and the write's key. What it raises undoes everything.

    Raises:
        ApplicationError: `InvalidInput`, not retryable: a text that the database can't hold.
    """
    info = activity.info()
    asked: JsonValue = None if request is None else request.model_dump(mode="json")
    key = idempotency_key(info.workflow_id or info.activity_id, info.activity_type, asked)
    as_json = TypeAdapter(answers)
    with writing(engine) as session:
        entry = LedgerRow(key=key, kind=info.activity_type, request=asked, answer=None, at=datetime.now(UTC))
        session.add(entry)
        try:
            # First of all, so that of two tries at once the second waits here until the first has ended.
            session.flush()
        except IntegrityError:
            session.rollback()
            return as_json.validate_python(session.get_one(LedgerRow, key).answer)
        try:
            answer = effect(session, key)
            entry.answer = as_json.dump_python(answer, mode="json")
            session.commit()
        except DataError as error:
            raise ApplicationError(
                f"the books can't hold this: {error.orig}", type=ErrorType.INVALID_INPUT, non_retryable=True
            ) from error
        return answer
