"""Numbers as people read them."""

from typing import Final

_UNITS: Final = ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def duration(seconds: float | None) -> str:
    """A duration in its two largest units; nothing where there is none."""
    if seconds is None:
        return ""
    for unit, name, smaller, its_name in _UNITS:
        if seconds >= unit:
            rest = int(seconds % unit // smaller)
            return f"{int(seconds // unit)} {name}" + (f" {rest} {its_name}" if rest else "")
    return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"


def number(count: float) -> str:
    """A number with its thousands apart."""
    return f"{count:,.0f}"


def size(count: int) -> str:
    """A number of bytes in the largest unit."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count} B"


def money(dollars: float) -> str:
    """US dollars; small amounts to a hundredth of a cent."""
    return f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.4f}"


def share(part: float | None) -> str:
    """A share of a whole; nothing where there is none."""
    return "" if part is None else f"{part:.0%}"
