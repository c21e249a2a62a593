"""Adaptation at work."""

from workflows.conversation.change import Change


def adapt(change: Change) -> bool:
    """Follow the first rule of adaptation whose time has come; tells whether there was one."""
    return False
