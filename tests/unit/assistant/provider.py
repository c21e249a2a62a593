"""A provider of language models behind real HTTP, which answers as a test tells it to."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from pydantic import BaseModel

KEY: Final = "sk-not-to-be-shown"

JSON: Final = "application/json"


class Message(BaseModel):
    """One message that a client sends."""

    role: str
    content: str


class Asked(BaseModel):
    """What a client asks for, as far as tests look at it."""

    model: str
    messages: list[Message]


def completion(text: str, finish_reason: str = "stop") -> bytes:
    """A chat completion as OpenAI gives it, for 10 tokens in and 3 out."""
    choice = {"index": 0, "finish_reason": finish_reason, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 10, "completion_tokens": 3, "total_tokens": 13}
    body = {"id": "1", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    return json.dumps(body).encode()


class Provider:
    """Says the same to everybody, until it is told something else."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.url = ""
        self.says(completion("I understand."))

    def says(
        self, body: bytes, status: int = 200, content_type: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        """Set what it answers from now on."""
        self.status = status
        self.body = body
        self.headers = {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})}


@contextmanager
def serving() -> Iterator[Provider]:
    """Run a provider on a free port of this machine."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            provider.asked.append(Asked.model_validate_json(asked))
            provider.may_answer.wait(30)
            try:
                self.send_response(provider.status)
                for name, value in provider.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(provider.body)
            except OSError:
                self.close_connection = True  # who asked has gone meanwhile

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield provider
    finally:
        provider.may_answer.set()
        server.shutdown()
        server.server_close()
        thread.join()
