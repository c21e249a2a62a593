"""Parley's settings: `parley.toml`, overridden by the environment.

`PARLEY_WORKER__TASK_QUEUE=other` overrides `task_queue` in the table `[worker]`. Connection settings are
Temporal's own (see `infra.connection`). Nothing else in the project reads the environment.
"""

import json
import os
import sysconfig
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from activities.scripts import Script
from infra.chat.settings import ChatSettings
from infra.errors import SetupError
from infra.examples import PipelineSettings, SupportSettings
from infra.memory import cache_size
from infra.origins import SEPARATOR, Key, Origins, Source, origins
from infra.payloads.settings import CodecSettings, EncryptionSettings, PayloadSettings
from infra.table import Address, Table
from infra.webhooks import NotifySettings
from signals.modes import Paradigm
from signals.names import TASK_QUEUE
from signals.settings import Settings
from workflows.conversation.coordination import COORDINATION
from workflows.conversation.speaker_selection import default_fault

PREFIX: Final = "PARLEY_"
FILE_VARIABLE: Final = "PARLEY_CONFIG"
"""The environment variable that says where the file is."""

DEFAULT_FILE: Final = Path("parley.toml")

DEFAULT_COORDINATION: Final = ("execution", "conversation", "default_coordination")


class Duty(StrEnum):
    """A kind of work that a worker process may do."""

    WORKFLOWS = "workflows"
    """Runs and conversations."""

    AI = "ai"
    """Whatever asks a model: replies, other questions, classifying."""

    BUSINESS = "business"
    """All other activities: the shop's books, notices, an application's own."""


class QueueSettings(Table):
    """`[worker.ai]`, `[worker.business]`: activities on a task queue of their own, with limits of their own."""

    task_queue: str | None = Field(default=None, min_length=1, max_length=1000)
    """Without one they go where everything goes."""

    max_concurrent: int = Field(default=100, ge=1)
    """How many run at a time in this process."""

    max_per_second: float | None = Field(default=None, gt=0)
    """How many are started in a second, by all processes together."""

    @model_validator(mode="after")
    def _limits_have_a_queue(self) -> Self:
        if self.task_queue is None and self.model_fields_set - {"task_queue"}:
            raise ValueError("limits of their own need a task_queue of their own")
        return self


class Versioning(StrEnum):
    """What a run does when another version of the workers becomes the current one; conversations are always pinned."""

    PINNED = "pinned"
    """It ends on the version that it began on."""

    AUTO_UPGRADE = "auto_upgrade"
    """It goes on with the new one, which must be able to replay it."""


class WorkerSettings(Table):
    """`[worker]`: how the worker process behaves."""

    task_queue: str = Field(default=TASK_QUEUE, min_length=1, max_length=1000)
    serves: tuple[Duty, ...] = Field(default=tuple(Duty), min_length=1)
    """What this process does; the rest is for others."""

    extensions: tuple[str, ...] = ()
    """Modules that add workflows, activities, strategies and functions (`my_package.flows`)."""

    sandbox: bool = True
    """Run workflows in Temporal's sandbox; without it they are 20 to 30% faster and smaller, and not guarded."""

    max_cached_workflows: int = Field(default_factory=cache_size, ge=0)
    """How many open runs are kept in memory; the others are replayed when something happens to them."""

    max_concurrent_workflow_tasks: int = Field(default=100, ge=2)
    """How many runs are moved on at a time."""

    max_concurrent_activities: int = Field(default=100, ge=1)
    """How many activities run at a time, of those without a queue of their own; blocking ones in a thread each."""

    ai: QueueSettings = QueueSettings()
    business: QueueSettings = QueueSettings()
    deployment: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[^.:\s]+$")
    """The worker deployment that this process belongs to, with `build_id`; versions are not told apart without."""

    build_id: str | None = Field(default=None, min_length=1, max_length=200, pattern=r"^[^:\s]+$")
    """The version of its code."""

    versioning: Versioning = Versioning.PINNED
    """Which version moves a run on that is open when another becomes the current one."""

    health: Address | None = None
    """Where `/live` and `/ready` answer; nowhere where it isn't given."""

    def queue_of(self, duty: Duty) -> str:
        """The task queue of a kind of work."""
        own = {Duty.AI: self.ai, Duty.BUSINESS: self.business}.get(duty)
        return (own and own.task_queue) or self.task_queue

    @model_validator(mode="after")
    def _a_version_is_named_as_a_whole(self) -> Self:
        if (self.deployment is None) is not (self.build_id is None):
            raise ValueError("deployment and build_id go together: give both, or neither")
        return self

    @model_validator(mode="after")
    def _queues_are_apart(self) -> Self:
        own = [queue.task_queue for queue in (self.ai, self.business) if queue.task_queue]
        if len({*own, self.task_queue}) <= len(own):
            raise ValueError("two task queues have the same name; leave the inner one out to share the outer one")
        served = {duty for duty in (Duty.AI, Duty.BUSINESS) if self.queue_of(duty) == self.task_queue}
        if served == {Duty.AI, Duty.BUSINESS} and len(served & {*self.serves}) == 1:
            raise ValueError("who serves only one of ai and business needs a task_queue for it: they share one")
        return self


class LogFormat(StrEnum):
    """How the worker's log is written."""

    AUTO = "auto"
    """To be read on a terminal, else JSON."""

    JSON = "json"
    TEXT = "text"


class LogLevel(StrEnum):
    """What is logged at least; each takes in what is after it."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class TelemetrySettings(Table):
    """`[telemetry]`: what is told about the work; OTLP is set as everywhere, by `OTEL_EXPORTER_OTLP_ENDPOINT`, ..."""

    prometheus: Address | None = None
    """Where Prometheus finds the metrics, under `/metrics`; then they are not sent by OTLP."""

    content: bool = False
    """Whether traces and logs may have what people and models say."""

    log_level: LogLevel = LogLevel.INFO
    """What is logged at least."""

    log_format: LogFormat = LogFormat.AUTO
    """How the log is written."""


class Warm(StrEnum):
    """When language models are made ready: the embedded one loaded, another's client made."""

    START = "start"
    """The worker's own with the worker; those that participants name as with `run`."""

    RUN = "run"
    """When a run begins that may ask them, while its first steps are under way."""

    REPLY = "reply"
    """When they are first asked."""


class AssistantSettings(Table):
    """`[assistant]`: who speaks for AI participants."""

    model: str = Field(default="local", min_length=1)
    """`local` for the embedded model, `script:NAME`, or any provider's (`openai:gpt-5`)."""

    scripts: dict[str, Script] = Field(default={})
    """What simulated participants and advisers say and do, by name."""

    warm: Warm = Warm.START
    """When language models are made ready."""


class AdaptiveSettings(Table):
    """`[adaptive]`: how it is chosen how a task is gone about."""

    assessor: str = Field(default="examples", min_length=1)
    """Who says what a task is like that doesn't say itself: `examples`, trained on a file at start; or a language
    model's string, with the examples for what it doesn't say."""


class Config(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=PREFIX, env_nested_delimiter=SEPARATOR, use_attribute_docstrings=True
    )

    execution: Settings = Settings()
    worker: WorkerSettings = Field(default_factory=WorkerSettings)
    telemetry: TelemetrySettings = TelemetrySettings()
    payloads: PayloadSettings = PayloadSettings()
    encryption: EncryptionSettings = EncryptionSettings()
    codec: CodecSettings = CodecSettings()
    chat: ChatSettings = ChatSettings()
    assistant: AssistantSettings = AssistantSettings()
    notify: NotifySettings = NotifySettings()
    adaptive: AdaptiveSettings = AdaptiveSettings()
    support: SupportSettings = SupportSettings()
    pipeline: PipelineSettings = Field(default_factory=PipelineSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, which comes in as arguments."""
        return env_settings, init_settings


@dataclass(frozen=True)
class Reading:
    """The settings as they were read."""

    config: Config
    origins: Origins


def load_config(path: Path | None = None) -> Config:
    """Read the settings.

    Args:
        path: The file; else `PARLEY_CONFIG` names it; else it is `parley.toml` here, if there is one.

    Raises:
        SetupError: The file is missing or isn't TOML; a setting is unknown, or doesn't fit, by itself or to others.
    """
    return read_config(path).config


def read_config(path: Path | None = None) -> Reading:
    """Read the settings, and where each comes from; as `load_config`."""
    file = path or _named_in_environment() or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    _refuse_unknown_variables()
    try:
        text = file.read_text(encoding="utf-8") if file else ""
        tables = tomllib.loads(text)
    except OSError as error:
        raise SetupError(f"{file}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SetupError(f"{file}: {error}") from error
    found = origins(file, text, os.environ, PREFIX)
    _refuse_secrets(tables, found)
    try:
        config = Config(**tables)
    except SettingsError as error:
        raise SetupError(f"environment: {error}: give JSON, or one variable for each key") from error
    except ValidationError as error:
        raise SetupError("; ".join(_told(problem, found) for problem in error.errors())) from error
    if faults := [f"{_where(key, found)}: {fault}" for key, fault in contradictions(config)]:
        raise SetupError("; ".join(faults))
    return Reading(config, found)


def contradictions(config: Config) -> Iterator[tuple[Key, str]]:
    """Find settings that can't hold together: the key that is to be changed, and why."""
    execution = config.execution
    conversation, transitions = execution.conversation, execution.transitions
    # What an extension adds is known when it is loaded.
    is_foreign = config.worker.extensions and conversation.default_coordination not in COORDINATION.kinds
    if not is_foreign and (fault := default_fault(conversation.default_coordination)):
        yield DEFAULT_COORDINATION, fault
    if transitions.transition_timeout_seconds > conversation.timeout_minutes * 60:
        lasting = f"a change of mode may take longer than a conversation lasts ({conversation.timeout_minutes:g} min)"
        yield ("execution", "transitions", "transition_timeout_seconds"), f"{lasting}; make it less"
    if execution.default_mode is Paradigm.WORKFLOW and not execution.hybrid.prefer_workflow:
        told = (
            'conversations are preferred, but default_mode is "workflow"; choose "adaptive", or prefer_workflow = true'
        )
        yield ("execution", "hybrid", "prefer_workflow"), told


def _named_in_environment() -> Path | None:
    name = os.environ.get(FILE_VARIABLE)
    return Path(name) if name else None


def _refuse_unknown_variables() -> None:
    # A misspelt table would otherwise be passed over in silence.
    for name in os.environ:
        table = name.removeprefix(PREFIX).split(SEPARATOR)[0].lower()
        if name.startswith(PREFIX) and name != FILE_VARIABLE and table not in Config.model_fields:
            known = ", ".join(f"{PREFIX}{field.upper()}{SEPARATOR}..." for field in Config.model_fields)
            raise SetupError(f"{name}: unknown setting in the environment; unset it, or use {FILE_VARIABLE}, {known}")


def _refuse_secrets(tables: dict[str, object], found: Origins) -> None:
    # The file is copied, committed and shown; and whoever may read it could read them.
    for name, field in Config.model_fields.items():
        table, given = field.annotation, tables.get(name)
        if isinstance(given, dict) and isinstance(table, type) and issubclass(table, BaseModel):
            for key in table.model_fields.keys() & given:
                if table.model_fields[key].exclude:
                    variable = f"{PREFIX}{name}__{key}".upper()
                    raise SetupError(f"{found.file}: [{name}] {key}: secrets are no part of the file; set {variable}")


def _told(problem: ErrorDetails, found: Origins) -> str:
    key = tuple(str(part) for part in problem["loc"])
    where = _where(key, found)
    if problem["type"] == "extra_forbidden":
        known = _known(key[:-1])
        return f"{where}: unknown key; remove it" + (f", or use one of {', '.join(known)}" if known else "")
    return f"{where}: {problem['msg'].removeprefix('Value error, ')}{_remedy(key)}"


def _where(key: Key, found: Origins) -> str:
    """Name the place where a setting is given: the variable; or file, line and key."""
    origin = found.of(key)
    if origin.source is Source.ENVIRONMENT and origin.place:
        within = key[origin.place.count(SEPARATOR) + 1 :]
        return ": ".join([origin.place, *([".".join(within)] if within else [])])
    table = ".".join(key[:-1])
    return f"{origin.place or found.file or 'settings'}: {f'[{table}] ' if table else ''}{key[-1]}"


def _remedy(key: Key) -> str:
    """Name the default, where a key has a plain one."""
    table = _table(key[:-1])
    field = table.model_fields.get(key[-1]) if table else None
    default = field.default if field else None
    return f"; left out, it is {json.dumps(default)}" if isinstance(default, str | int | float) else ""


def _known(tables: Key) -> list[str]:
    table = _table(tables)
    return sorted(table.model_fields) if table else []


def _table(tables: Key) -> type[BaseModel] | None:
    table: type[BaseModel] = Config
    for name in tables:
        inner = table.model_fields[name].annotation if name in table.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return None  # within a value
        table = inner
    return table


def variables(names: Iterable[str]) -> dict[str, str]:
    """Those variables of the environment that are set, and the path of programs, on which this Python comes first.

    Args:
        names: The variables.
    """
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)])
    return {**{name: os.environ[name] for name in names if name in os.environ}, "PATH": path}


def demo_environment(address: str, database: str) -> dict[str, str]:
    """The environment for programs that work for a server of their own, with books of their own.

    Args:
        address: The Temporal server, `HOST:PORT`.
        database: The SQLAlchemy URL of the shop's books.
    """
    return {**os.environ, "TEMPORAL_ADDRESS": address, f"{PREFIX}SUPPORT__DATABASE": database}
