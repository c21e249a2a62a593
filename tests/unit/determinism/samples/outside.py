import json
import os
import platform
import shutil
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from os import environ
from pathlib import Path, PurePosixPath
from urllib.parse import urlencode

from temporalio import workflow
from temporalio.client import Client

_LOG = Path("var") / "refunds.log"


def a_file_that_is_read() -> str:
    with open("policy.txt") as file:  # expect: nondeterministic-io
        return file.read()


def a_path_that_is_read(name: str) -> str:
    path = Path("var") / name
    return path.read_text()  # expect: nondeterministic-io


def a_path_of_the_module() -> None:
    _LOG.write_text("paid")  # expect: nondeterministic-io


def a_path_that_is_handed_in(path: Path) -> bool:
    return path.exists()  # expect: nondeterministic-io


def a_path_that_is_there() -> bool:
    return os.path.exists("policy.txt")  # expect: nondeterministic-io


def a_file_that_is_moved() -> None:
    shutil.move("a", "b")  # expect: nondeterministic-io
    os.remove("c")  # expect: nondeterministic-io


def a_request_over_the_net(order: str) -> bytes:
    query = urlencode({"order": order})
    with urllib.request.urlopen(f"https://example.com/?{query}") as answer:  # expect: nondeterministic-io
        return bytes(answer.read())


def a_database() -> int:
    connection = sqlite3.connect("shop.db")  # expect: nondeterministic-io
    return connection.total_changes


def a_program() -> str:
    return subprocess.run(["date"], capture_output=True, text=True).stdout  # expect: nondeterministic-io


async def another_client(order: str) -> None:
    client = await Client.connect("localhost:7233")  # expect: nondeterministic-io
    await client.get_workflow_handle(order).cancel()


def a_line_on_the_screen(order: str) -> None:
    print("refunding", order)  # expect: nondeterministic-io


def an_answer_from_the_keyboard() -> str:
    return input("Refund? ")  # expect: nondeterministic-io


def a_setting_of_the_machine() -> list[str | None]:
    return [
        os.environ["SHOP_URL"],  # expect: nondeterministic-environment
        os.environ.get("SHOP_URL"),  # expect: nondeterministic-environment
        environ.get("SHOP_URL"),  # expect: nondeterministic-environment
        os.getenv("SHOP_URL"),  # expect: nondeterministic-environment
    ]


def the_machine_itself() -> tuple[str, str, int]:
    return (
        platform.node(),  # expect: nondeterministic-environment
        sys.argv[0],  # expect: nondeterministic-environment
        os.getpid(),  # expect: nondeterministic-environment
    )


def where_the_program_was_started() -> Path:
    return Path.cwd() / "policy.txt"  # expect: nondeterministic-environment


def paths_that_are_only_computed(name: str) -> str:
    path = Path("orders") / name
    return str(path.parent / PurePosixPath(name).with_suffix(".json"))


def paths_of_the_machine_s_own_kind(name: str) -> str:
    return os.path.join("orders", name)  # expect: nondeterministic-environment


def errors_and_constants_of_such_modules(reason: Exception) -> bool:
    return isinstance(reason, socket.gaierror | subprocess.TimeoutExpired) or reason.args == (socket.AF_INET,)


def an_error_that_is_raised(text: str) -> str:
    if not text:
        raise subprocess.CalledProcessError(1, "date")
    return text


def an_error_that_is_caught(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, sqlite3.Error):
        return None


def lines_for_the_log(order: str) -> None:
    workflow.logger.info("refunding %s", order)
