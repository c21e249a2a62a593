from collections.abc import AsyncIterator, Iterator

import pytest

from activities.assistant import AssistantActivities
from activities.local_model import LocalModel
from tests.unit.assistant.endpoint import Endpoint

KEY = "sk-proj-4242secret"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        yield endpoint


@pytest.fixture
async def assistant() -> AsyncIterator[AssistantActivities]:
    """Activities whose model, where a participant names none, is the endpoint's."""
    assistant = AssistantActivities("openai-chat:test", LocalModel())
    yield assistant
    await assistant.aclose()
