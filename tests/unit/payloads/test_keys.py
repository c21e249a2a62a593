"""Keys: read from a file or the environment, each known by its id, and never shown."""

import stat
from pathlib import Path

import pytest

from infra.errors import SetupError
from infra.payloads.converter import keyring_of
from infra.payloads.keys import Key, Keyring, MissingKeyError, parse_keys, read_keys, write_key
from infra.payloads.settings import EncryptionSettings
from tests.unit.cli.command import parley

OLD, NEW = Key("old", b"o" * 32), Key("new", b"n" * 32)


def test_a_key_file_has_a_line_for_each_key_and_notes(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_key(path, OLD)
    path.write_text(f"# of this year\n\n{path.read_text()}")
    write_key(path, NEW)
    assert read_keys(path) == {"old": OLD, "new": NEW}


def test_a_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_key(path, OLD)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_file_that_others_may_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "keys"
    write_key(path, OLD)
    path.chmod(mode)
    with pytest.raises(SetupError, match="others may read these keys: chmod 600"):
        read_keys(path)


@pytest.mark.parametrize(
    "line",
    ["k", "k c2hvcnQ=", "k not-base64!", f"{OLD.line} more", f"a/b {OLD.line.split()[1]}", OLD.line.split()[1]],
)
def test_a_line_that_is_no_key_is_told_by_its_number_and_not_shown(line: str) -> None:
    with pytest.raises(SetupError) as refused:
        parse_keys(f"{NEW.line}\n{line}\n", "keys")
    assert str(refused.value) == "keys: line 2 is no key: it must be ID KEY, the key of 32 bytes in base64"


def test_an_id_stands_for_one_key() -> None:
    with pytest.raises(SetupError, match="line 2: there is a key 'old' already"):
        parse_keys(f"{OLD.line}\n{OLD.line}", "keys")


def test_a_key_is_not_shown_with_what_it_is_in() -> None:
    shown = repr([OLD, EncryptionSettings.model_validate({"keys": OLD.line})])
    assert OLD.line.split()[1] not in shown
    assert repr(OLD.secret) not in shown


def test_keys_come_from_the_file_and_the_environment_together(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    write_key(path, OLD)
    settings = EncryptionSettings.model_validate({"key_file": path, "keys": NEW.line, "current": "new"})
    keyring = keyring_of(settings)
    assert keyring.current == NEW.mark
    assert keyring.cipher(OLD.mark)


@pytest.mark.parametrize(
    ("current", "reason"),
    [(None, 'say which key encrypts (old), or "" to encrypt nothing more'), ("lost", "there is no key 'lost'")],
)
def test_which_key_encrypts_is_said_and_it_is_there(current: str | None, reason: str) -> None:
    with pytest.raises(SetupError) as refused:
        Keyring({"old": OLD}, current)
    assert reason in str(refused.value)


def test_a_key_that_is_not_there_is_named_with_what_to_do() -> None:
    with pytest.raises(MissingKeyError, match="the key 'old' is not there: add it to the key file"):
        Keyring({"new": NEW}, "new").cipher(OLD.mark)


def test_another_key_under_the_same_id_is_seen_for_what_it_is() -> None:
    with pytest.raises(MissingKeyError, match="the key 'old' is not the one that encrypted this"):
        Keyring({"old": Key.new("old")}, "old").cipher(OLD.mark)


def test_the_command_makes_a_key_that_can_be_used(tmp_path: Path) -> None:
    printed = parley("keys", "encryption", "--id", "k1")
    assert parse_keys(printed.output, "what was printed").keys() == {"k1"}
    path = tmp_path / "keys"
    write_key(path, OLD)
    again = parley("keys", "encryption", "--id", "old", "--file", str(path))
    told = f"parley: {path}: there is a key 'old' already: name another with --id\n"
    assert (again.status, again.errors) == (2, told)
