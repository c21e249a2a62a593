"""Who speaks: a participant who has a key signs what they send, and nobody else can send it for them.

Signed is RFC 8785's form (JCS) of the JSON object `{"workflow_id", "signal", "number", "message"}`: the conversation's
workflow id, the signal's name, the signature's number, and the message without `signature`, `conversation` and what has
its default.
The number is the time in microseconds. It must grow, so that nothing counts twice, and one number for each participant
is all that is remembered; and it must not be from before the conversation, so that nothing counts that was signed for
an earlier one with the same workflow id.
"""

import base64
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import JsonValue

from signals.errors import ErrorType, Refusal
from signals.messages import Invoke, Join, Message, Signature, Turn
from workflows.conversation.roster import Member
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState, digest

LAG: Final = timedelta(minutes=1)
"""How far a signer's clock may be behind, and how long before the conversation begins its first message be signed."""

_KEPT: Final = 256
"""Answers that are kept: an update is looked at when it comes and again when it is taken."""


def signed_bytes(conversation: str, message: Message, number: int) -> bytes:
    """Write what is signed.

    Args:
        conversation: The conversation's workflow id.
        message: What is sent.
        number: The signature's number.

    Raises:
        ValueError: A number in it has no one form: it is beyond 2**53.
    """
    content = message.model_dump(mode="json", exclude={"signature", "conversation"}, exclude_defaults=True)
    about: dict[str, JsonValue] = {"workflow_id": conversation, "signal": message.signal, "number": number}
    return rfc8785.dumps({**about, "message": content})


def check_signature(setup: ConversationSetup, state: ConversationState, message: Message) -> Refusal | None:
    """Say why a message isn't taken to be from its sender; nothing if it is, or if nobody has said who that is."""
    member = state.members.get(message.sender)
    if member is not None:
        key, last = member.participant.key, member.signed
    elif isinstance(message, Join):
        # Who is yet to come, or is forgotten since they left long ago: the setup says whose name it is.
        key, last = setup.key_of(message.sender) or message.participant.key, state.signed
        if message.participant.key != key:
            return _refusal(f"the setup has another key for {message.sender!r}")
    else:
        return None  # nobody that is known; admission refuses it
    if key is None:
        return _check_without_key(setup, message)
    least = _microseconds(state.started - LAG)
    return _check_with_key(
        key, least if _is_repeated(state, message) else max(last, least), state.conversation, message
    )


def remember_signature(state: ConversationState, message: Message) -> None:
    """Count a message's signature, which was found to be genuine, as used."""
    member = state.members.get(message.sender)
    if member is not None and message.signature is not None:
        member.signed = max(member.signed, message.signature.number)


def forget_signatures(state: ConversationState, member: Member, now: datetime) -> None:
    """Have nothing count again that somebody signed who is about to be forgotten.

    Who isn't known must sign with a number beyond theirs, which the time is; and one that is ahead of the time, which
    they may have chosen, shuts nobody out.
    """
    state.signed = max(state.signed, min(member.signed, _microseconds(now)))


def _microseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000_000)


def _is_repeated(state: ConversationState, message: Message) -> bool:
    """Whether it is sent again with its id: that changes nothing, so it may come with the signature that it had."""
    return isinstance(message, Turn | Invoke) and digest(message) in state.seen


def _check_without_key(setup: ConversationSetup, message: Message) -> Refusal | None:
    if message.signature is not None:
        return _refusal(f"{message.sender!r} has no key here that a signature could be checked with; send it unsigned")
    if setup.signed:
        return _refusal(f"{message.sender!r} has no key, and messages must be signed here")
    return None


def _check_with_key(key: str, last: int, conversation: str, message: Message) -> Refusal | None:
    signature = message.signature
    if signature is None:
        return _refusal(f"{message.sender!r} has a key: sign the message (`temporal parley chat --key` does)")
    if signature.number <= last:
        what = f"signature.number {signature.number} was used, or a later one was, or is from before the conversation"
        return _refusal(f"{what}; it must be greater than {last}: take the time in microseconds")
    try:
        told = signed_bytes(conversation, message, signature.number)
    except ValueError as error:
        return _refusal(f"what can't be signed: {error}")
    if _is_genuine(key, signature, told):
        return None
    return _refusal(f"the signature is not that of {message.sender!r} for this message in {conversation!r}")


@lru_cache(_KEPT)
def _is_genuine(key: str, signature: Signature, told: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(base64.b64decode(signature.value), told)
    except InvalidSignature:
        return False
    return True


def _refusal(reason: str) -> Refusal:
    return Refusal(ErrorType.SIGNATURE_INVALID, reason[:500])
