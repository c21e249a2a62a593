"""The catalogue: every workflow class that a worker runs."""

from typing import Final

from workflows.composition.workflow import Composite
from workflows.conversation.workflow import Conversation
from workflows.modes.adaptive import Adaptive
from workflows.pipeline.bisect import Bisect
from workflows.pipeline.check_commit import CheckCommit
from workflows.pipeline.deploy_commit import DeployCommit
from workflows.pipeline.development_pipeline import DevelopmentPipeline
from workflows.pipeline.run_tests import RunTests
from workflows.pipeline.show_file import ShowFile
from workflows.support.address_change import AddressChange
from workflows.support.customer_support import CustomerSupport
from workflows.support.order_status import OrderStatus
from workflows.support.password_reset import PasswordReset
from workflows.support.refund import Refund

WORKFLOWS: Final[tuple[type, ...]] = (
    Conversation,
    Composite,
    Adaptive,
    CustomerSupport,
    Refund,
    OrderStatus,
    PasswordReset,
    AddressChange,
    DevelopmentPipeline,
    CheckCommit,
    DeployCommit,
    RunTests,
    ShowFile,
    Bisect,
)
