"""Fragment: show a part of a file of a commit."""

from temporalio import workflow

from signals.checkouts import Checkout, CheckoutRequest, FileExcerpt, FileRequest, ShowFileRequest
from signals.project import Command, Pipeline
from signals.run import RunSoFar
from workflows.compiled import Fragment, compiled, step
from workflows.options import GIT
from workflows.pipeline.fragments import AT_ONCE, REPOSITORY
from workflows.pipeline.stubs import Checkouts

_NOTHING = Pipeline(test=Command(command=("true",)))
"""What the commit says of its pipeline doesn't matter here."""


@compiled(fragment=Fragment(modes=AT_ONCE, bound=REPOSITORY))
class ShowFile:
    """Show lines of a file, as they are in a commit."""

    async def tidy_up(self, run: RunSoFar) -> None:
        """Remove the run's folder."""
        await workflow.execute_activity_method(Checkouts.discard, run.id, summary="tidy up", **GIT)

    @step(compensation=tidy_up)
    async def source(self, request: ShowFileRequest, run: RunSoFar) -> Checkout:
        """Have the commit at hand."""
        asked = CheckoutRequest(
            workspace=run.id, repository=request.repository, revision=request.commit, pipeline=_NOTHING
        )
        return await workflow.execute_activity_method(Checkouts.check_out, asked, summary="check out", **GIT)

    @step(result=True)
    async def excerpt(self, request: ShowFileRequest, source: Checkout, run: RunSoFar) -> FileExcerpt:
        """Read it."""
        asked = FileRequest(
            workspace=run.id, commit=source.commit, path=request.path, first=request.first, last=request.last
        )
        return await workflow.execute_activity_method(Checkouts.show_file, asked, summary="read the file", **GIT)

    @step
    async def tidied(self, run: RunSoFar, excerpt: FileExcerpt) -> None:
        """Remove the run's folder."""
        await workflow.execute_activity_method(Checkouts.discard, run.id, summary="tidy up", **GIT)
