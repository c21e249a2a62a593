"""Something that a test workflow uses."""


def double(number: int) -> int:
    """Twice a number."""
    return 2 * number
