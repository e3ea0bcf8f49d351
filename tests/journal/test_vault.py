from __future__ import annotations

import os
import stat
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zccvoice.errors import JournalError, KeyMissingError
from zccvoice.journal.vault import KEY_BYTES, Vault, own_master_key

MASTER = "correct horse battery staple"
NONCE = bytes(12)
ENTRY_BYTES = 60


@pytest.fixture
def permissive() -> Iterator[None]:
    """Whatever is made is open to everybody, unless its maker sees to it."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "keys", MASTER)


def is_same(key: AESGCM | None, other: AESGCM | None) -> bool:
    assert key is not None
    assert other is not None
    return key.encrypt(NONCE, b"content", None) == other.encrypt(NONCE, b"content", None)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_key_for_every_opening(tmp_path: Path, vault: Vault) -> None:
    made = [vault.new_key("a") for _ in range(3)]
    assert [generation for generation, _ in made] == [0, 1, 2]
    assert not is_same(made[0][1], made[1][1])
    found = Vault(tmp_path / "keys", MASTER).keys("a")
    assert [is_same(key, one) for (_, key), one in zip(made, found, strict=True)] == [True] * 3


def test_nobody_else_may_look(tmp_path: Path, permissive: None) -> None:
    Vault(tmp_path / "keys", MASTER).new_key("a")
    own_master_key(tmp_path / "master")
    assert mode(tmp_path / "keys") == 0o700
    assert {mode(path) for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert mode(tmp_path / "master") == 0o600


def test_another_master_key_is_told_at_once(tmp_path: Path, vault: Vault) -> None:
    with pytest.raises(KeyMissingError, match=r"^journal\.master_key .*: expected the key that") as refused:
        Vault(tmp_path / "keys", "the wrong one")
    assert MASTER not in str(refused.value) + repr(refused.value)
    assert "the wrong one" not in str(refused.value) + repr(refused.value)


def test_a_key_opens_its_own_journal_and_no_other(tmp_path: Path, vault: Vault) -> None:
    vault.new_key("a")
    vault.new_key("b")
    folder = tmp_path / "keys"
    (folder / "b.key").write_bytes((folder / "a.key").read_bytes())
    with pytest.raises(KeyMissingError, match="journal b: its key does not open"):
        vault.keys("b")
    vault.new_key("c")
    vault.new_key("c")
    both = (folder / "c.key").read_bytes()
    (folder / "c.key").write_bytes(both[ENTRY_BYTES:] + both[:ENTRY_BYTES])
    with pytest.raises(KeyMissingError, match="journal c: its key does not open"):
        vault.keys("c")


def test_a_wrapped_key_is_not_the_key(tmp_path: Path, vault: Vault) -> None:
    _, key = vault.new_key("a")
    data = (tmp_path / "keys" / "a.key").read_bytes()
    for at in range(len(data) - KEY_BYTES + 1):
        assert not is_same(key, AESGCM(data[at : at + KEY_BYTES]))


@pytest.mark.parametrize("lost", range(1, 2 * ENTRY_BYTES + 1))
def test_a_key_file_that_a_crash_cut_off(tmp_path: Path, vault: Vault, lost: int) -> None:
    keys = [vault.new_key("a")[1] for _ in range(2)]
    path = tmp_path / "keys" / "a.key"
    os.truncate(path, 2 * ENTRY_BYTES - lost)
    whole = (2 * ENTRY_BYTES - lost) // ENTRY_BYTES
    if whole:
        assert is_same(vault.keys("a")[0], keys[0])
    else:
        with pytest.raises(KeyMissingError, match="journal a has no key"):
            vault.keys("a")
    generation, key = vault.new_key("a")
    assert generation == whole
    found = vault.keys("a")
    assert len(found) == whole + 1
    assert all(map(is_same, found, [*keys[:whole], key]))


def test_a_wrong_byte_costs_the_key_it_lies_in(tmp_path: Path, vault: Vault) -> None:
    keys = [vault.new_key("a")[1] for _ in range(3)]
    path = tmp_path / "keys" / "a.key"
    data = path.read_bytes()
    for at in range(len(data)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :])
        found = vault.keys("a")
        assert [one is None for one in found] == [at // ENTRY_BYTES == number for number in range(3)]
        assert all(is_same(key, one) for key, one in zip(keys, found, strict=True) if one is not None)


def test_a_proof_that_a_crash_cut_off_is_made_anew(tmp_path: Path, vault: Vault) -> None:
    for size in range(ENTRY_BYTES):
        os.truncate(tmp_path / "keys" / "master.key", size)
        Vault(tmp_path / "keys", MASTER)
        with pytest.raises(KeyMissingError):
            Vault(tmp_path / "keys", "another")


def test_shredding_leaves_no_key(tmp_path: Path, vault: Vault) -> None:
    vault.new_key("a")
    copy = tmp_path / "copy"
    os.link(tmp_path / "keys" / "a.key", copy)  # the same blocks on the disk, under another name
    before = copy.read_bytes()
    assert vault.shred("a")
    assert not (tmp_path / "keys" / "a.key").exists()
    assert len(copy.read_bytes()) == len(before)
    assert copy.read_bytes() != before
    with pytest.raises(KeyMissingError, match="journal a has no key: its content was deleted"):
        vault.keys("a")
    assert not vault.shred("a")


def test_more_generations_than_a_header_can_tell(tmp_path: Path, vault: Vault) -> None:
    (tmp_path / "keys" / "a.key").write_bytes(bytes(254 * ENTRY_BYTES))
    assert vault.new_key("a")[0] == 254
    with pytest.raises(JournalError, match="journal a was opened 255 times"):
        vault.new_key("a")


def test_a_folder_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file")
    with pytest.raises(JournalError, match=r"the key folder .* cannot be used: File exists"):
        Vault(tmp_path / "keys", MASTER)


def test_a_key_that_cannot_be_read_is_an_error_of_the_journal(tmp_path: Path, vault: Vault) -> None:
    (tmp_path / "keys" / "a.key").mkdir()
    with pytest.raises(JournalError, match="journal a: its key cannot be read: Is a directory"):
        vault.keys("a")


def test_an_installation_makes_its_own_master_key_once(tmp_path: Path) -> None:
    path = tmp_path / "etc" / "master.key"
    key = own_master_key(path)
    assert len(b64decode(key)) == KEY_BYTES
    assert own_master_key(path) == key
    assert own_master_key(tmp_path / "other") != key
    assert [one.name for one in path.parent.iterdir()] == ["master.key"]


def test_two_that_start_at_once_agree_on_the_master_key(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / f"{number}"
        with ThreadPoolExecutor(2) as pool:
            one, two = pool.map(own_master_key, [path, path])
        assert one == two


def test_a_master_key_that_an_operator_wrote_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "master"
    path.write_text("  my own secret\n")
    assert own_master_key(path) == "my own secret"


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b" \n", "is empty"), (b"secret \xff", "cannot be used: expected ASCII text")],
)
def test_a_master_key_that_is_none(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "master"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=problem) as refused:
        own_master_key(path)
    assert "secret" not in repr(refused.value)


def test_a_place_where_no_master_key_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"the master key .* cannot be used: File exists"):
        own_master_key(tmp_path / "file" / "master")
