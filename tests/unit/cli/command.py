"""The installed command, run as people run it."""

import os
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

SCRIPTS: Final = Path(sysconfig.get_path("scripts"))
SECONDS: Final = 60.0


@dataclass(frozen=True)
class Done:
    """What a command did."""

    status: int
    output: str
    errors: str


def parley(
    *words: str, cwd: Path | None = None, through_temporal: bool = False, environment: Mapping[str, str] | None = None
) -> Done:
    """Run `temporal-parley`; or `temporal parley`, with the command on the path."""
    program = [SCRIPTS / "temporal", "parley"] if through_temporal else [SCRIPTS / "temporal-parley"]
    done = subprocess.run(
        [*program, *words],
        cwd=cwd,
        env={**os.environ, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    return Done(done.returncode, done.stdout, done.stderr)
