from pathlib import Path

from infra.memory import CACHED_RUNS, RUN_BYTES, SHARE, cache_size


def test_a_container_s_limit_bounds_the_cache(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text(f"{int(500 * RUN_BYTES / SHARE)}\n")
    assert cache_size(limit) == 500


def test_a_small_container_keeps_the_least_that_is_quick(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("1000000\n")
    assert cache_size(limit) == CACHED_RUNS[0]


def test_without_a_limit_the_machine_s_memory_counts(tmp_path: Path) -> None:
    limit = tmp_path / "memory.max"
    limit.write_text("max\n")
    assert cache_size(limit) == cache_size(tmp_path / "none")
