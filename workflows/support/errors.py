"""Error types of customer support; what `OnException` points name."""

from enum import StrEnum


class SupportError(StrEnum):
    """Why a request can't be handled by a workflow alone."""

    REFUSED_BY_POLICY = "RefusedByPolicy"
    """The shop's policy doesn't allow it; a person may."""

    NOT_FOUND = "NotFound"
    """It isn't in the shop's books."""
