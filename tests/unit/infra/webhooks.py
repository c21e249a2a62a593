"""Webhooks as GitHub sends them, with a little of all else that is in them."""

import json

from pydantic import JsonValue

SHA = "9".zfill(40)
NEXT = "1".zfill(40)
BASE = "8".zfill(40)

REPOSITORY: JsonValue = {
    "id": 1,
    "full_name": "ann/shop",
    "clone_url": "https://example.com/ann/shop.git",
    "default_branch": "main",
}


def body(payload: dict[str, JsonValue]) -> bytes:
    return json.dumps({"repository": REPOSITORY, "installation": {"id": 7}, **payload}).encode()


def push(**more: JsonValue) -> bytes:
    """A push to the default branch."""
    sender: JsonValue = {"login": "ann", "id": 2}
    pusher: JsonValue = {"name": "ann", "email": "ann@example.com"}
    return body(
        {
            "ref": "refs/heads/main",
            "before": BASE,
            "after": SHA,
            "sender": sender,
            "pusher": pusher,
            "commits": [],
            **more,
        }
    )


def pull_request(action: str, sha: str = SHA, **more: JsonValue) -> bytes:
    """A pull request of Ann's."""
    pull: dict[str, JsonValue] = {
        "number": 7,
        "title": "Speed up",
        "head": {"sha": sha, "ref": "faster"},
        "base": {"sha": BASE, "ref": "main"},
        "user": {"login": "ann"},
        **more,
    }
    return body({"action": action, "pull_request": pull})


def review(state: str, text: str | None, sha: str = SHA, login: str = "dana", action: str = "submitted") -> bytes:
    """A review of it."""
    pull = json.loads(pull_request("x"))["pull_request"]
    said: JsonValue = {"id": 3, "state": state, "body": text, "commit_id": sha, "user": {"login": login}}
    return body({"action": action, "review": said, "pull_request": pull})
