"""The work folder: where runs have their checkouts, logs and temporary files; each run in a folder of its own."""

import asyncio
import fcntl
import hashlib
import os
import re
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

KEPT_SECONDS: Final = 30 * 86_400
"""How long logs are kept, and what runs that were terminated have left behind."""

LOCK_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True)
class RunFolder:
    """The folder of a run."""

    path: Path
    logs: Path

    @property
    def repository(self) -> Path:
        """The run's own bare repository."""
        return self.path / "repository.git"

    @property
    def home(self) -> Path:
        """What its commands take for the home folder."""
        return self.path / "home"

    @property
    def temporary(self) -> Path:
        """Where its commands put temporary files."""
        return self.path / "tmp"

    def tree(self, commit: str, name: str) -> Path:
        """A checkout of a commit."""
        return self.path / "trees" / f"{commit[:12]}-{name}"

    def make(self) -> None:
        """See to it that it is there."""
        for folder in (self.home, self.temporary, self.path / "trees", self.logs):
            folder.mkdir(parents=True, exist_ok=True)
        os.utime(self.path)  # it is in use, however old it is

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[None]:
        """Be alone in preparing it: of all workers that share the folder. Who dies lets go."""
        lock = self.path / "lock"
        while True:
            self.path.mkdir(parents=True, exist_ok=True)
            file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                if _take(file) and lock.exists() and lock.stat().st_ino == os.fstat(file).st_ino:
                    yield
                    return
            finally:
                os.close(file)
            await asyncio.sleep(LOCK_POLL_SECONDS)

    async def remove(self) -> None:
        """Remove it, with all that is in it but the logs."""
        if self.path.exists():
            async with self.locked():
                await asyncio.to_thread(_remove, self.path)


class WorkFolder:
    """The folder of all runs.

    Args:
        root: Where it is; made when it is needed.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def of(self, run: str) -> RunFolder:
        """The folder of a run.

        Args:
            run: Its workflow id.
        """
        key = key_of(run)
        return RunFolder(self.root / "runs" / key, self.root / "logs" / key)

    def prune(self) -> None:
        """Remove what is old: logs, and what runs that were terminated have left behind."""
        oldest = time.time() - KEPT_SECONDS
        for folder in (*self.root.glob("runs/*"), *self.root.glob("logs/*")):
            with suppress(OSError):
                if folder.stat().st_mtime < oldest:
                    _remove(folder)


def key_of(run: str) -> str:
    """A name for a run that can be a folder's and a branch's, and is no other run's."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", run).strip("-")[:24].strip("-")
    return f"{readable}-{hashlib.sha256(run.encode()).hexdigest()[:8]}"


def inside(folder: Path, path: str) -> Path | None:
    """The file of a path in a folder; none where it leads out of it, by `..` or by a link."""
    found = (folder / path).resolve()
    return found if found.is_relative_to(folder.resolve()) else None


def _take(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _remove(folder: Path) -> None:
    # What a build has made unwritable is removed as well.
    def allow(function: object, path: str, error: object) -> None:
        with suppress(OSError):
            Path(path).parent.chmod(0o700)
            Path(path).chmod(0o700)
            if Path(path).is_dir() and not Path(path).is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                Path(path).unlink()

    shutil.rmtree(folder, onerror=allow)
