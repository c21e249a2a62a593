"""The codec server: reads and writes payloads for the `temporal` command line and the Web UI, which have no keys.

It speaks Temporal's remote codec protocol. Who asks shows the token: as a bearer token, which the command line is given
with `--codec-auth`, or with a cookie, which a browser gets by signing in on the server's page. What it gives is what
people said, so it listens on this machine alone unless told otherwise, and answers the pages of named origins only.
"""

import asyncio
import hashlib
import hmac
import html
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import parse_qs

from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.common import RawValue
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from infra.errors import SetupError

MOST_BYTES: Final = 32 * 1024 * 1024
"""The largest request: a page of a history with payloads near Temporal's limit, as JSON."""

MOST_FORM_BYTES: Final = 4096
SECONDS: Final = 15.0
"""How long a request may take, from its first byte to its answer."""

COOKIE: Final = "parley-codec"
COOKIE_SECONDS: Final = 12 * 60 * 60

KEPT_REFERENCES: Final = "preserveStorageRefs"
"""The query parameter by which the Web UI says that it asks for stored payloads later, with `/download`."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
}
_PAGE: Final = (
    """<!doctype html><html lang="en"><title>Parley's codec server</title><h1>Parley's codec server</h1>{}</html>"""
)
_FORM: Final = """<p>{}</p><form method="post"><label>Token <input name="token" type="password" autofocus></label>
<button>Sign in</button></form>"""
_DONE: Final = """<p>This browser is signed in. In the Web UI, set the codec server to <code>{}</code>, and let it
include cross-origin credentials.</p>"""

_LOG: Final = logging.getLogger(__name__)

_UNREADABLE: Final = (SetupError, OSError, ValueError, RuntimeError)
"""What it means that a payload can't be read: its key isn't there, or what it refers to."""

Work = Callable[[Sequence[Payload], bool], Awaitable[list[Payload]]]


class CodecServer:
    """Answers requests.

    Args:
        converter: The data converter of clients and workers.
        token: What who asks must show.
        origins: The Web UIs whose pages may ask.
    """

    def __init__(self, converter: DataConverter, token: str, origins: Sequence[str]) -> None:
        self._converter = converter
        self._token = token
        self._origins = frozenset(origins)

    def app(self) -> Starlette:
        """Give the ASGI application."""
        works: dict[str, Work] = {"encode": self._encode, "decode": self._decode, "download": self._download}
        routes = [
            Route("/", self._page, methods=["GET"]),
            Route("/", self._sign_in, methods=["POST"]),
            # Only the last part of the path counts, by the protocol; what is before it may be a namespace.
            *(Route(f"/{name}", self._endpoint(work), methods=["POST"]) for name, work in works.items()),
            *(Route(f"/{{above:path}}/{name}", self._endpoint(work), methods=["POST"]) for name, work in works.items()),
        ]
        cors = Middleware(
            CORSMiddleware,
            allow_origins=sorted(self._origins),
            allow_methods=["POST"],
            allow_headers=["authorization", "authorization-extras", "content-type", "x-namespace"],
            allow_credentials=True,
        )
        return Starlette(routes=routes, middleware=[cors])

    def _endpoint(self, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            self._admit(request)
            try:
                async with asyncio.timeout(SECONDS):
                    asked = _parsed(await _body(request, MOST_BYTES))
                    keep = request.query_params.get(KEPT_REFERENCES) == "true"
                    answer = Payloads(payloads=await work(asked.payloads, keep))
            except TimeoutError:
                raise HTTPException(408, f"not done in {SECONDS:.0f} s") from None
            text = json_format.MessageToJson(answer, indent=None)
            return Response(text, media_type="application/json", headers=_HEADERS)

        return endpoint

    # What it does

    async def _encode(self, payloads: Sequence[Payload], keep: bool) -> list[Payload]:
        try:
            return await self._converter.encode([RawValue(payload) for payload in payloads])
        except ApplicationError as error:
            raise HTTPException(413, error.message) from error

    async def _decode(self, payloads: Sequence[Payload], keep: bool) -> list[Payload]:
        """Read what can be read; the rest stays as it is, for a page must not go dark for one payload."""
        return [await self._read(payload) if _wanted(payload, keep) else payload for payload in payloads]

    async def _download(self, payloads: Sequence[Payload], keep: bool) -> list[Payload]:
        return [await self._one(payload) for payload in payloads]

    async def _read(self, payload: Payload) -> Payload:
        try:
            return await self._one(payload)
        except HTTPException as error:
            _LOG.warning("A payload was left as it is: %s", error.detail)
            return payload

    async def _one(self, payload: Payload) -> Payload:
        try:
            [value] = await self._converter.decode([payload], [RawValue])
        except _UNREADABLE as error:
            raise HTTPException(422, str(error)) from error
        read: Payload = value.payload
        return read

    # Who may

    def _admit(self, request: Request) -> None:
        origin = request.headers.get("origin")
        if origin is not None and origin not in self._origins:
            raise HTTPException(403, f"pages of {origin} may not ask; [codec] origins names those that may")
        kind, _, shown = request.headers.get("authorization", "").partition(" ")
        by_token = kind.lower() == "bearer" and _same(shown, self._token)
        if not by_token and not self._signed_in(request):
            raise HTTPException(
                401, "show the token: Authorization: Bearer TOKEN, or sign in", {"WWW-Authenticate": "Bearer"}
            )

    def _signed_in(self, request: Request) -> bool:
        return _same(request.cookies.get(COOKIE, ""), self._cookie)

    @property
    def _cookie(self) -> str:
        # Not the token itself: a browser keeps it in a file.
        return hmac.digest(self._token.encode(), b"parley codec cookie", hashlib.sha256).hex()

    async def _page(self, request: Request) -> Response:
        if not self._signed_in(request):
            return _html(_FORM.format("Sign in to let the Web UI in this browser show what was said."))
        return _html(_DONE.format(html.escape(str(request.base_url).rstrip("/"))))

    async def _sign_in(self, request: Request) -> Response:
        async with asyncio.timeout(SECONDS):
            form = parse_qs((await _body(request, MOST_FORM_BYTES)).decode(errors="replace"))
        if not _same(form.get("token", [""])[0], self._token):
            return _html(_FORM.format("This is not the token."), 401)
        response = RedirectResponse("/", 303, _HEADERS)
        secure = request.url.scheme == "https"
        response.set_cookie(COOKIE, self._cookie, COOKIE_SECONDS, secure=secure, httponly=True, samesite="strict")
        return response


def _wanted(payload: Payload, keep_references: bool) -> bool:
    return not (keep_references and payload.external_payloads)


def _same(shown: str, expected: str) -> bool:
    return hmac.compare_digest(shown.encode(), expected.encode())


def _html(body: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(body), status, _HEADERS)


def _parsed(body: bytes) -> Payloads:
    try:
        return json_format.Parse(body, Payloads(), ignore_unknown_fields=True)
    except (json_format.ParseError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400, "the body must be the JSON of payloads") from error


async def _body(request: Request, most: int) -> bytes:
    """Read a request's body.

    Raises:
        HTTPException: It is too large; no more of it is read.
    """
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise HTTPException(413, f"at most {most:,} bytes can be sent")
        parts.append(part)
    return b"".join(parts)
