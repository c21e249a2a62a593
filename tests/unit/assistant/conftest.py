from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles import ModelProfile
from pydantic_ai.providers.openai import OpenAIProvider

from activities.assistant import AssistantActivities
from activities.local_model import LocalModel
from activities.models import LanguageModels
from tests.unit.assistant.endpoint import Endpoint

KEY = "sk-proj-4242secret"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_BASE_URL", endpoint.url)
        yield endpoint


@pytest.fixture
async def models() -> AsyncIterator[LanguageModels]:
    models = LanguageModels(LocalModel())
    yield models
    await models.aclose()


@pytest.fixture
def assistant(models: LanguageModels) -> AssistantActivities:
    """Activities whose model, where a participant names none, is the endpoint's."""
    return AssistantActivities("openai-chat:test", models)


@pytest.fixture
async def able_to(endpoint: Endpoint) -> AsyncIterator[Callable[[ModelProfile], AssistantActivities]]:
    """Makes activities whose model, the endpoint's, is known to be able to do these things."""
    made: list[LanguageModels] = []

    def able_to(profile: ModelProfile) -> AssistantActivities:
        provider = OpenAIProvider(base_url=endpoint.url, api_key=KEY)
        made.append(
            LanguageModels(LocalModel(), infer=lambda name: OpenAIChatModel(name, provider=provider, profile=profile))
        )
        return AssistantActivities("plain", made[-1])

    yield able_to
    for models in made:
        await models.aclose()
