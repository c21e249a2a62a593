"""A workflow whose code is wrong."""

from temporalio import workflow


@workflow.defn
class Broken:
    """Temporal tries its first task again and again, until a release mends it."""

    @workflow.run
    async def run(self) -> None:
        """Fail."""
        raise RuntimeError("a bug")
