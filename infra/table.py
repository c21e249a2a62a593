"""What tables of the settings file are made of."""

from ipaddress import ip_address
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict

MAX_PORT: Final = 65_535


def split_address(address: str) -> tuple[str, int]:
    """Split `IP:PORT` into both.

    Raises:
        ValueError: It is none.
    """
    host, colon, port = address.rpartition(":")
    try:
        ip = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        colon = ""
    if not colon or not port.isdecimal() or int(port) > MAX_PORT:
        raise ValueError("an address is an IP address and a port, such as 127.0.0.1:8080")
    return str(ip), int(port)


def _is_address(text: str) -> str:
    split_address(text)
    return text


Address = Annotated[str, AfterValidator(_is_address)]
"""Where something listens, `IP:PORT`."""


class Table(BaseModel):
    """A table of the settings' file; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
