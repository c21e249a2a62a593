"""Webhooks in the settings, and their secrets, which are in the environment alone."""

import pytest
from pydantic import ValidationError

from infra.errors import SetupError
from infra.webhooks import WebhookSettings, webhook
from signals.wire import one_line
from tests.unit.conversation.talk import person

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def settings(url: str = "https://hooks.example.com/parley", secret_env: str = "HOOK_SECRET") -> WebhookSettings:
    return WebhookSettings.model_validate({"url": url, "secret_env": secret_env, "roles": ["agent"]})


def test_a_webhook_has_the_secret_that_the_environment_has() -> None:
    made = webhook(settings(), {"HOOK_SECRET": SECRET})
    assert (made.url, made.host) == ("https://hooks.example.com/parley", "hooks.example.com")
    assert [made.is_for(person("ann", role=role)) for role in ("agent", "guest")] == [True, False]


@pytest.mark.parametrize("secret", ["", "whsec_", "not base64!!" * 4, "c2hvcnQ="])
def test_what_can_be_no_secret_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(SetupError) as refused:
        webhook(settings(), {"HOOK_SECRET": secret})
    assert str(refused.value) == (
        "[notify] secret_env: HOOK_SECRET must be set to a secret of 24 bytes or more, "
        "in base64 (openssl rand -base64 32)"
    )


@pytest.mark.parametrize(
    ("url", "secret_env", "told"),
    [
        ("ftp://example.com", "HOOK_SECRET", "url: URL scheme should be 'http' or 'https'"),
        ("https://ann:pass@example.com/", "HOOK_SECRET", "url: an address has no name and password in it"),
        ("https://example.com", "PARLEY_SECRET", "secret_env: variables that begin with PARLEY_ are settings"),
        ("https://example.com", "$HOOK", "secret_env: String should match pattern"),
    ],
)
def test_a_webhook_that_can_not_be_used_is_refused(url: str, secret_env: str, told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(url, secret_env)
    assert one_line(refused.value).startswith(told)
