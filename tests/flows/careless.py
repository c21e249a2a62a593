"""A workflow whose module takes another one along that no workflow is defined in."""

from tests.flows.helper import double
from workflows.compiled import compiled, step


@compiled
class Careless:
    """Answers by a helper of its own."""

    @step(result=True)
    def answer(self, request: int) -> int:
        """Ask the helper."""
        return double(request)
