"""Workflows as a careless release would have them: with one thing more than when their runs were stored."""

from datetime import timedelta

from temporalio import workflow

from signals.conversation import ConversationResult
from signals.names import WorkflowType
from signals.support import Order, OrderAnswer, OrderQuestion
from workflows.compiled import compiled, step
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState
from workflows.conversation.workflow import Conversation
from workflows.options import QUICK
from workflows.support.stubs import Books


@workflow.defn(name=WorkflowType.CONVERSATION)
class ChangedConversation(Conversation):
    """Waits a little first."""

    @workflow.run
    async def run(self, setup: ConversationSetup, carried: ConversationState | None = None) -> ConversationResult:
        """Hold the conversation, later."""
        await workflow.sleep(timedelta(seconds=1))
        return await super().run(setup, carried)


@compiled
class OrderStatus:
    """Looks the order up twice."""

    @step
    async def order(self, request: OrderQuestion) -> Order:
        """Look the order up."""
        return await workflow.execute_activity_method(Books.order, request, **QUICK)

    @step
    async def again(self, request: OrderQuestion, order: Order) -> Order:
        """Look the order up again."""
        return await workflow.execute_activity_method(Books.order, request, **QUICK)

    @step(result=True)
    def answer(self, again: Order) -> OrderAnswer:
        """Say where it is."""
        return OrderAnswer(order=again, text="It is on its way.")
