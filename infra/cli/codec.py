"""`codec`: serves the codec, so that `temporal` and the Web UI can show what is encrypted to who may see it."""

import argparse
import asyncio
import logging
import secrets
import socket
from typing import Final

import uvicorn

from infra.cli.commands import Commands
from infra.config import load_config
from infra.errors import SetupError
from infra.payloads.converter import data_converter
from infra.payloads.server import CodecServer
from infra.table import split_address

MOST_CONNECTIONS: Final = 100
GRACE_SECONDS: Final = 5
TOKEN_BYTES: Final = 24


def add_to(commands: Commands) -> None:
    """Add the subcommand to the command."""
    parser = commands.add_parser(
        "codec",
        help="serve the codec, for the temporal command line and the Web UI",
        epilog="Keys are those of [encryption]. Who asks must show the token of PARLEY_CODEC__TOKEN.",
    )
    parser.set_defaults(command=run)


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C.

    Raises:
        SetupError: The keys can't be used, or the address can't.
    """
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = load_config()
    settings = config.codec
    token = settings.token.get_secret_value() if settings.token else secrets.token_urlsafe(TOKEN_BYTES)
    app = CodecServer(data_converter(config), token, settings.origins).app()
    with _bound(settings.address) as listening:
        shown = "the one of PARLEY_CODEC__TOKEN" if settings.token else token
        print(f"Codec server: http://{_named(listening)}; token: {shown}", flush=True)
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                limit_concurrency=MOST_CONNECTIONS,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        asyncio.run(server.serve(sockets=[listening]))
    return 0


def _bound(address: str) -> socket.socket:
    host, port = split_address(address)
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SetupError(f"[codec] address: {address} can't be used: {error.strerror}") from error


def _named(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
