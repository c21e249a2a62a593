"""The modes of a run."""

from enum import StrEnum


class Mode(StrEnum):
    """What a run is doing."""

    WORKFLOW = "workflow"
    CONVERSATION = "conversation"
    """Everything waits for a conversation."""

    HYBRID = "hybrid"
    """A conversation is open while other steps go on."""
