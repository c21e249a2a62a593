"""The container engine: the one that is there, or podman without a daemon of its own."""

import os
import resource
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import docker
from docker.errors import DockerException
from testcontainers.core.config import ConnectionMode, testcontainers_config

SECONDS: Final = 20.0
"""How long podman may take to come up, or to go."""

POLL_SECONDS: Final = 0.05

FILES: Final = 20_000
"""How many open files a container may have."""

PROCESSES: Final = 4_000
"""How many processes and threads a container may have."""

HOST: Final = "DOCKER_HOST"
"""The environment variable that says where an engine is."""

UNIX: Final = "unix://"
DEFAULT_HOST: Final = f"{UNIX}/var/run/docker.sock"

API: Final = "1.40"
"""The engine's interface that is asked for; all engines since 2019 have it."""


class NoEngineError(Exception):
    """There is no container engine; the text says what to do."""


@contextmanager
def container_engine() -> Iterator[None]:
    """See to it that `docker.from_env()`, and so testcontainers, finds an engine.

    Raises:
        NoEngineError: Neither Docker nor podman can be used.
    """
    if _answers():
        yield
    elif (podman := shutil.which("podman")) is None:
        raise NoEngineError("no container engine answers: start Docker, or install podman")
    else:
        with tempfile.TemporaryDirectory() as folder, _podman(podman, Path(folder)) as host, _found_at(host):
            yield


def _answers() -> bool:
    # Looked at first, as the library leaves a socket open where nobody listens.
    host = os.environ.get(HOST, DEFAULT_HOST)
    if host.startswith(UNIX) and not _listens(host.removeprefix(UNIX)):
        return False
    client = docker.from_env(timeout=5, version=API)
    try:
        return bool(client.ping())
    except DockerException:
        return False
    finally:
        client.close()


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


@contextmanager
def _podman(program: str, folder: Path) -> Iterator[str]:
    """Serve Docker's interface by podman; gives where."""
    settings, listener, log = folder / "containers.conf", folder / "podman.sock", folder / "podman.log"
    settings.write_text(_settings())
    host = f"{UNIX}{listener}"
    with log.open("wb") as output:
        service = subprocess.Popen(
            [program, "system", "service", "--time=0", host],
            stdout=output,
            stderr=output,
            env={**os.environ, "CONTAINERS_CONF": str(settings)},
        )
        try:
            _wait_for(listener, service, log)
            yield host
        finally:
            service.terminate()
            with suppress(subprocess.TimeoutExpired):
                service.wait(SECONDS)
            service.kill()
            service.wait()


def _settings() -> str:
    # Podman asks for more than a machine without the right to raise limits may give.
    limits = {"nofile": (resource.RLIMIT_NOFILE, FILES), "nproc": (resource.RLIMIT_NPROC, PROCESSES)}
    asked = {name: _at_most(limit, enough) for name, (limit, enough) in limits.items()}
    bounds = ", ".join(f'"{name}={most}:{most}"' for name, most in asked.items())
    return f"[containers]\ndefault_ulimits = [{bounds}]\n"


def _at_most(limit: int, enough: int) -> int:
    hard = resource.getrlimit(limit)[1]
    return enough if hard == resource.RLIM_INFINITY else min(hard, enough)


def _wait_for(listener: Path, service: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + SECONDS
    while not listener.exists():
        if service.poll() is not None or time.monotonic() > end:
            raise NoEngineError(f"podman does not serve: {log.read_text(errors='replace').strip()}")
        time.sleep(POLL_SECONDS)


@contextmanager
def _found_at(host: str) -> Iterator[None]:
    before = os.environ.get(HOST)
    os.environ[HOST] = host
    testcontainers_config.connection_mode_override = ConnectionMode.docker_host
    # What removes containers after a crash of the tests is an image of its own, that may not be had here.
    testcontainers_config.ryuk_disabled = True
    try:
        yield
    finally:
        if before is None:
            del os.environ[HOST]
        else:
            os.environ[HOST] = before
