"""A workflow whose run stays half done, to be drawn."""

from temporalio import workflow

from workflows.compiled import compiled, step


@compiled
class HalfDone:
    """Do one step, and wait in the next."""

    @step
    def first(self, request: int) -> int:
        """Be done at once."""
        return request

    @step(result=True)
    async def second(self, first: int) -> int:
        """Wait for ever."""
        await workflow.wait_condition(lambda: False)
        return first
