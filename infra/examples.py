"""`[support]` and `[pipeline]`: the settings of the two examples."""

import os
from pathlib import Path

from pydantic import Field, SecretStr

from infra.table import Table


class SupportSettings(Table):
    """`[support]`: the example's shop."""

    database: str = Field(default="sqlite:///var/business.db", min_length=1)
    """The SQLAlchemy URL of the shop's books."""

    classifier: str = Field(default="examples", min_length=1)
    """`examples` for the one that is trained on a file at start, or the model string of a language model."""


class PipelineSettings(Table):
    """`[pipeline]`: where and how development pipelines work."""

    folder: Path = Path("~/.local/state/parley/pipeline")
    """Where runs have their checkouts and logs: in no other project, for many a tool looks for its settings above."""

    deployments: Path = Path("~/.local/state/parley/deployments")
    """Where releases are deployed to, a folder for each target."""

    environment: tuple[str, ...] = ("LANG", "LC_ALL", "TZ")
    """The variables of the worker that commands of pipelines find in their environment, beside the path of programs."""

    git_environment: tuple[str, ...] = ("HOME", "SSH_AUTH_SOCK")
    """The variables that git finds, to reach repositories."""

    at_once: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=1000)
    """How many commands run at a time; further ones wait."""

    webhook_secret: SecretStr | None = Field(default=None, exclude=True)
    """What the forge signs its webhooks with; from the environment only."""
