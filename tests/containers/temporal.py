"""A Temporal server in a container, that can be stopped, frozen, cut off and killed."""

import asyncio
import hashlib
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from uuid import uuid4

import docker
from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container
from docker.models.networks import Network
from testcontainers.core.container import DockerContainer
from testcontainers.core.image import DockerImage

from infra.connection import connect
from infra.devserver import start_arguments, temporal_program
from infra.errors import SetupError
from tests.harness import free_port

PORT: Final = 7233
"""Where the server listens, in its container."""

FOLDER: Final = Path("/runs")
"""Where its volume is, in the container."""

START_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.05

BUILD: Final = """
FROM scratch
COPY temporal /temporal
ENV USER=temporal HOME=/tmp
ENTRYPOINT ["/temporal"]
"""
"""The program is static, and needs nothing but a home and a user's name."""


def temporal_image(official: str | None) -> str:
    """Give the name of an image whose entry point is the `temporal` program.

    Args:
        official: The image to pull; None, or where it can't be pulled, for one that is built from the program of this
            environment.
    """
    client = docker.from_env()
    try:
        if official is not None:
            try:
                client.images.get(official)
            except ImageNotFound:
                client.images.pull(official)
            return official
    except DockerException:
        pass
    finally:
        client.close()
    return _built()


def _built() -> str:
    program = temporal_program()
    with program.open("rb") as binary:
        tag = f"localhost/temporal:{hashlib.file_digest(binary, 'sha256').hexdigest()[:12]}"
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "Dockerfile").write_text(BUILD)
        shutil.copy(program, folder)
        image = DockerImage(folder, tag=tag, clean_up=False).build()
        image.remove()  # closes what it was built with, and leaves it
    return tag


class TemporalContainer:
    """A server that runs as long as the `async with` block; what it knows is in a volume, not in its container.

    Args:
        image: See `temporal_image`.
    """

    def __init__(self, image: str) -> None:
        self._image = image
        self._port = free_port()
        self._name = f"parley-{uuid4()}"
        """Of its volume and its network."""

        self._docker = docker.from_env()
        self._container: DockerContainer | None = None

    @property
    def address(self) -> str:
        """Where it listens, `HOST:PORT`."""
        return f"{self._running().get_container_host_ip()}:{self._port}"

    async def __aenter__(self) -> Self:
        """Start it."""
        await asyncio.to_thread(self._docker.networks.create, self._name)
        try:
            await self._start_new()
        except BaseException:
            await self._remove()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove it, with its volume and its network."""
        await self._remove()

    async def stop(self) -> None:
        """Stop it in good order."""
        await self._do(lambda container: container.stop(timeout=10))

    async def start(self) -> None:
        """Start it again, after `stop`."""
        await self._do(lambda container: container.start())
        await self._answers()

    async def freeze(self) -> None:
        """Let it do nothing any more, as a machine without a free moment would."""
        await self._do(lambda container: container.pause())

    async def thaw(self) -> None:
        """Let it go on."""
        await self._do(lambda container: container.unpause())

    async def cut_off(self) -> None:
        """Take its network away."""
        await self._do(lambda container: self._network().disconnect(container))

    async def reconnect(self) -> None:
        """Give it its network back."""
        await self._do(lambda container: self._network().connect(container))
        await self._answers()

    async def lose(self) -> None:
        """Kill it, and throw its container away; only its volume is left."""
        await self._do(lambda container: container.kill())
        await asyncio.to_thread(self._running().stop)
        self._container = None

    async def replace(self) -> None:
        """Start a new container with the volume of the one that was lost."""
        await self._start_new()

    async def _start_new(self) -> None:
        arguments = start_arguments("0.0.0.0", PORT, ui_port=None, db=FOLDER / "runs.db")
        container = DockerContainer(self._image, network_mode=self._name, user="0")  # the volume is root's
        container.with_command(arguments).with_bind_ports(PORT, self._port)
        container.with_volume_mapping(self._name, str(FOLDER), "rw")
        self._container = container
        await asyncio.to_thread(container.start)
        await self._answers()

    async def _answers(self) -> None:
        async with asyncio.timeout(START_SECONDS):
            while True:
                try:
                    await connect(self.address)
                    return
                except SetupError:
                    await asyncio.sleep(POLL_SECONDS)

    async def _remove(self) -> None:
        if self._container:
            await asyncio.to_thread(self._container.stop)
        for found in (self._docker.volumes.list(filters={"name": self._name}), [self._network()]):
            for made in found:
                await asyncio.to_thread(made.remove)
        self._docker.close()

    async def _do(self, change: Callable[[Container], object]) -> None:
        await asyncio.to_thread(change, self._running().get_wrapped_container())

    def _running(self) -> DockerContainer:
        assert self._container, "it was lost"
        return self._container

    def _network(self) -> Network:
        network: Network = self._docker.networks.get(self._name)
        return network
