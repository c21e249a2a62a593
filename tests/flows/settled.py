"""Compiled workflows that show what the settings change."""

import json

from workflows.compiled import compiled, step


@compiled
class Doubled:
    """Doubles a number that it reads, and doesn't look at what it read."""

    @step
    def number(self, request: str) -> int:
        """Read the number."""
        read: int = json.loads(request)
        return read

    @step(result=True)
    def doubled(self, number: int) -> int:
        """Double it."""
        return number * 2
