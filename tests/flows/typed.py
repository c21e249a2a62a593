"""A compiled workflow that says its types to editors."""

from signals.wire import Wire
from workflows.compiled import Flow, compiled, step


class Question(Wire):
    """What is asked."""

    text: str


class Reply(Wire):
    """What is answered."""

    text: str


@compiled
class Answer(Flow[Question, Reply]):
    """Answers."""

    @step(result=True)
    def reply(self, request: Question) -> Reply:
        """Say it back."""
        return Reply(text=request.text)
