"""`[notify]`: the webhooks that people are told by, and their secrets."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Final

from pydantic import Field, HttpUrl, field_validator
from standardwebhooks import Webhook as Signer

from activities.notify import Webhook
from infra.errors import SetupError
from infra.table import Table
from signals.wire import Identifier

OWN: Final = "PARLEY_"
"""What the names of variables begin with that are settings."""

PREFIX: Final = "whsec_"
"""What a secret of the Standard Webhooks may begin with."""

LEAST: Final = 24
"""The shortest such secret, in bytes."""


class WebhookSettings(Table):
    """One of `[[notify.webhooks]]`: where people are told that a conversation waits for them."""

    url: HttpUrl
    secret_env: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """The name of the environment variable that has the secret which posts are signed with."""

    people: tuple[Identifier, ...] = ()
    """For whom it is, by id; for everybody, where neither people nor roles are named."""

    roles: tuple[Identifier, ...] = ()
    """For whom it is, by role."""

    @field_validator("url")
    @classmethod
    def _has_no_secret(cls, url: HttpUrl) -> HttpUrl:
        if url.username or url.password:
            raise ValueError("an address has no name and password in it; posts are signed instead")
        return url

    @field_validator("secret_env")
    @classmethod
    def _is_no_setting(cls, name: str) -> str:
        if name.upper().startswith(OWN):
            raise ValueError(f"variables that begin with {OWN} are settings; choose another name")
        return name


class NotifySettings(Table):
    """`[notify]`: how people are told, outside a conversation, that it waits for them."""

    webhooks: tuple[WebhookSettings, ...] = Field(default=(), max_length=50)


def webhook(settings: WebhookSettings, environment: Mapping[str, str]) -> Webhook:
    """Make a webhook with its secret.

    Args:
        settings: Where it is, and for whom.
        environment: Has the variable with the secret.

    Raises:
        SetupError: The variable isn't there, or what it has can't be a secret.
    """
    secret = environment.get(settings.secret_env, "").strip()
    try:
        size = len(b64decode(secret.removeprefix(PREFIX), validate=True))
    except ValueError:
        size = 0
    if size < LEAST:
        raise SetupError(
            f"[notify] secret_env: {settings.secret_env} must be set to a secret of {LEAST} bytes or more, "
            "in base64 (openssl rand -base64 32)"
        )
    people, roles = frozenset(settings.people), frozenset(settings.roles)
    return Webhook(str(settings.url), Signer(secret), people, roles)
