"""The version of a worker: which runs it moves on, where several versions work at a time."""

from collections.abc import Sequence

from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import WorkerDeploymentConfig

from infra.config import WorkerSettings
from workflows.conversation.pinned import PinnedConversation
from workflows.conversation.workflow import Conversation


def deployment_of(settings: WorkerSettings) -> WorkerDeploymentConfig | None:
    """Say which version a worker is, if versions are told apart."""
    if settings.deployment is None or settings.build_id is None:
        return None
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(settings.deployment, settings.build_id),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior[settings.versioning.name],
    )


def pinned(workflows: Sequence[type]) -> list[type]:
    """Pin conversations to the version that they began on, whatever is set for other runs."""
    return [PinnedConversation if flow is Conversation else flow for flow in workflows]
