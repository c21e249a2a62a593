"""The modes of a run, and the paradigms that it is run by."""

from enum import StrEnum


class Mode(StrEnum):
    """What a run is doing."""

    WORKFLOW = "workflow"
    CONVERSATION = "conversation"
    """Everything waits for a conversation."""

    HYBRID = "hybrid"
    """A conversation is open while other steps go on."""


class Paradigm(StrEnum):
    """How a task is gone about."""

    WORKFLOW = "workflow"
    """By steps that are known beforehand."""

    CONVERSATION = "conversation"
    """By talking until an outcome emerges."""

    HYBRID = "hybrid"
    """By steps, with conversations where they are needed."""

    ADAPTIVE = "adaptive"
    """By whichever of the others suits the task, and by another one when that no longer does."""
