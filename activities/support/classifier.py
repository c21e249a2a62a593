"""The offline classifier: scikit-learn, trained on examples when it is made."""

import re
from pathlib import Path
from typing import Final

from sklearn.pipeline import make_pipeline
from temporalio import activity

from activities.learning import features, regression
from activities.support.extraction import address_in, order_in
from signals.support import Classification, Issue, SupportRequest
from signals.wire import Wire
from workflows.support import stubs

EXAMPLES: Final = Path(__file__).parent / "data" / "issues.jsonl"
"""One `{"text": ..., "issue": ...}` in a line."""

_NAMES: Final = re.compile(r"\b[a-z]{1,4}-\d{3,10}\b")
_NUMBERS: Final = re.compile(r"\d+")


class Example(Wire):
    """A request, and what it is about."""

    text: str
    issue: Issue


class ExamplesClassifier(stubs.Classifier):
    """Tells requests apart by the words and the parts of words that they share with examples.

    Args:
        examples: The file to learn from; takes about half a second.

    Raises:
        OSError: The file can't be read.
        pydantic.ValidationError: A line isn't an example.
    """

    def __init__(self, examples: Path = EXAMPLES) -> None:
        known = [Example.model_validate_json(line) for line in examples.read_text(encoding="utf-8").splitlines()]
        self._model = make_pipeline(features(_normal), regression())
        self._model.fit([example.text for example in known], [example.issue.value for example in known])

    @activity.defn(name="classify")
    async def classify(self, request: SupportRequest) -> Classification:
        """Give the likeliest issue with its probability; takes about a millisecond."""
        probabilities = dict(zip(self._model.classes_, self._model.predict_proba([request.text])[0], strict=True))
        issue = Issue(max(probabilities, key=probabilities.__getitem__))
        return Classification(
            issue=issue,
            confidence=float(probabilities[issue]),
            order_id=request.order_id or order_in(request.text),
            address=address_in(request.text) if issue is Issue.ADDRESS_CHANGE else None,
        )


def _normal(text: str) -> str:
    """Make all order ids the same word, and all numbers: which one it is says nothing about the issue."""
    return _NUMBERS.sub(" 0 ", _NAMES.sub(" ordernumber ", text.lower()))
