from pathlib import Path
from typing import Final

import psutil

RUN_BYTES: Final = 160 * 1024
"""What an open, sandboxed conversation takes in the worker's memory: 155 MiB were measured for 1,000."""

SHARE: Final = 0.5
"""How much of the available memory cached runs may take; the rest is for activities and peaks."""

CACHED_RUNS: Final = (200, 20_000)
"""Fewer make a worker slow, since runs are replayed again and again; more were never measured."""

CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")


def cache_size(limit_file: Path = CONTAINER_LIMIT) -> int:
    """Say how many open runs fit into memory.

    Args:
        limit_file: Where a container's memory limit stands, in bytes, or `max`.
    """
    available = psutil.virtual_memory().available
    limit = limit_file.read_text().strip() if limit_file.exists() else "max"
    if limit != "max":
        available = min(available, int(limit))
    least, most = CACHED_RUNS
    return max(least, min(most, int(available * SHARE) // RUN_BYTES))
