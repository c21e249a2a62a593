"""Small real repositories."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SECONDS: Final = 30.0

WHO: Final = {
    **{"GIT_AUTHOR_NAME": "Ann", "GIT_AUTHOR_EMAIL": "ann@example.com"},
    **{"GIT_COMMITTER_NAME": "Ann", "GIT_COMMITTER_EMAIL": "ann@example.com"},
    **{"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"},
}

GOOD: Final = "def total(prices):\n    return sum(prices)\n"
BAD: Final = "def total(prices):\n    return sum(prices) + 1\n"
TEST: Final = (
    "from cart import total\n\n\n"
    "def test_total():\n    assert total([1, 2]) == 3\n\n\n"
    "def test_nothing():\n    assert total([]) == total([])\n"
)
"""A test that one of the two passes."""

CART: Final = {"cart.py": GOOD, "test_cart.py": TEST}


class Project:
    """A repository with a working tree.

    Args:
        path: Where it is, or is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.exists():
            path.mkdir(parents=True)
            self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str) -> str:
        """Run a git command in it."""
        done = subprocess.run(
            ["git", *words],
            cwd=self.path,
            env={**os.environ, **WHO},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        return done.stdout.strip()

    def commit(self, files: Mapping[str, str], message: str = "Change") -> str:
        """Write files and commit them; gives the commit."""
        for name, text in files.items():
            file = self.path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def patch(self, files: Mapping[str, str]) -> str:
        """A patch that makes files what they are to be; nothing stays of it in the working tree."""
        for name, text in files.items():
            (self.path / name).write_text(text)
        patch = self.git("diff") + "\n"
        self.git("checkout", "--quiet", ".")
        return patch
