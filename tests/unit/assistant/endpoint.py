"""A real HTTP server that plays an OpenAI-compatible provider, or a webhook, well or badly."""

import json
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from types import TracebackType
from typing import Any, NamedTuple, Self

from pydantic import JsonValue

Body = dict[str, Any]
"""A JSON object, as it came over the network."""


class Answer(NamedTuple):
    """What the server answers."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = {}


class Post(NamedTuple):
    """What the server was sent."""

    headers: Mapping[str, str]
    text: str


class Hang(NamedTuple):
    """No answer at all: the server waits until the client gives up."""


def says(text: str, finish: str = "stop", *, model: str = "test") -> Answer:
    """Answer as a provider does whose model said something."""
    return _completion({"role": "assistant", "content": text}, finish, model)


def calls(*wanted: tuple[str, JsonValue], text: str | None = None) -> Answer:
    """Answer as a provider does whose model calls tools; arguments that are a text are sent as they are."""
    tool_calls: list[JsonValue] = [
        {
            "id": f"call-{number}",
            "type": "function",
            "function": {"name": name, "arguments": given if isinstance(given, str) else json.dumps(given)},
        }
        for number, (name, given) in enumerate(wanted, start=1)
    ]
    return _completion({"role": "assistant", "content": text, "tool_calls": tool_calls}, "tool_calls", "test")


def _completion(message: JsonValue, finish: str, model: str) -> Answer:
    completion: JsonValue = {
        "id": "c-1",
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": model,
        "choices": [{"index": 0, "finish_reason": finish, "message": message}],
        "usage": {"prompt_tokens": 42, "completion_tokens": 7, "total_tokens": 49},
    }
    return Answer(body=json.dumps(completion))


def fails(status: int, message: str = "no", code: str | None = None, **headers: str) -> Answer:
    """Answer as a provider does that refuses."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, json.dumps({"error": {"message": message, "type": "test", "code": code}}), told)


class Endpoint:
    """The server; as a context it runs, on a free port of 127.0.0.1."""

    def __init__(self) -> None:
        self.first: list[Answer] = []
        """What it answers first, in this order."""

        self.answer: Answer | Hang = says("Hello.")
        """What it answers then."""

        self.posts: list[Post] = []
        """The requests so far."""

        self.given_up: Queue[bool] = Queue()
        """Told when a client that waits in vain closes its connection."""

        self.connections = 0
        """How many were opened so far."""

        self.closed: Queue[None] = Queue()
        """Told when a connection ends."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def asked(self) -> list[Body]:
        """The bodies of the requests so far."""
        return [json.loads(post.text) for post in self.posts]

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(endpoint: Endpoint) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 20

        def setup(self) -> None:
            super().setup()
            endpoint.connections += 1

        def finish(self) -> None:
            super().finish()
            endpoint.closed.put(None)

        def do_POST(self) -> None:
            length = int(self.headers["content-length"])
            sent = {name.lower(): value for name, value in self.headers.items()}
            endpoint.posts.append(Post(sent, self.rfile.read(length).decode()))
            answer = endpoint.first.pop(0) if endpoint.first else endpoint.answer
            if isinstance(answer, Hang):
                endpoint.given_up.put(self.rfile.read(1) == b"")
                self.close_connection = True
                return
            status, body, headers = answer
            self.send_response(status)
            for name, value in {"content-type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    return Handler
