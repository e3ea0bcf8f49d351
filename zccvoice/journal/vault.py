"""Keys: one file per journal, holding a key for every time that the journal was opened for writing.

    file  :=  (nonce:12 wrapped:32 tag:16)*        AES-256-GCM under the master key, the journal's name beside it

The keys of a journal lie in another folder than its sound, so that a copy of the one is worth nothing without
the other, and shredding the few bytes of the key file deletes the sound wherever copies of it are. Without the
master key, which comes from the settings, both are worth nothing.
"""

from __future__ import annotations

import os
import secrets
from base64 import b64encode
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from zccvoice.errors import JournalError, JournalUnavailableError, KeyMissingError
from zccvoice.journal.record import MOST_GENERATIONS

KEY_BYTES = 32
_NONCE_BYTES = 12
_ENTRY_BYTES = _NONCE_BYTES + KEY_BYTES + 16
_PROOF = "master"


class Vault:
    """The keys of all journals in one folder."""

    def __init__(self, folder: Path, master_key: str) -> None:
        """Open the vault, or begin a new one.

        Args:
            folder: made if it is not there.
            master_key: a secret text; its entropy is the strength of everything, 32 random bytes in base64 do.

        Raises:
            KeyMissingError: the keys in the folder were wrapped by another master key.
            JournalError: the folder cannot be used.
        """
        self._folder = folder
        # HKDF (RFC 5869): whatever form the operator's secret has, AES gets 32 even bytes.
        derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=b"zccvoice journal keys").derive
        self._master = AESGCM(derived(master_key.encode()))
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._prove()
        except OSError as error:
            raise JournalError(f"the key folder {folder} cannot be used: {error.strerror}") from None

    def new_key(self, name: str) -> tuple[int, AESGCM]:
        """One more key for a journal, safely on disk, and which generation it is.

        Raises:
            JournalError: it has been opened 255 times: too often to be sane.
            OSError: it cannot be stored.
        """
        path = self._path(name)
        generation = self._generations(name)
        if generation >= MOST_GENERATIONS:
            raise JournalError(f"journal {name} was opened {generation} times")
        key = AESGCM.generate_key(KEY_BYTES * 8)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        wrapped = nonce + self._master.encrypt(nonce, key, _bound_to(name, generation))
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.seek(generation * _ENTRY_BYTES)  # over half an entry that a crash may have left
            file.write(wrapped)
            file.flush()  # all of it, or an error: a full disk may take a part
            os.fsync(file.fileno())
        sync_folder(self._folder)
        return generation, AESGCM(key)

    def keys(self, name: str) -> list[AESGCM | None]:
        """The keys of a journal, by generation; None for one that is damaged, as long as another is not.

        Raises:
            KeyMissingError: there are none, or they were wrapped by another master key.
            JournalUnavailableError: they cannot be read.
        """
        try:
            data = self._path(name).read_bytes()
        except FileNotFoundError:
            data = b""
        except OSError as error:
            raise JournalUnavailableError(
                f"journal {name}: its key cannot be read: {error.strerror}"
            ) from None
        if len(data) < _ENTRY_BYTES:
            raise KeyMissingError(f"journal {name} has no key: its content was deleted")
        keys = [
            self._unwrap(data[generation * _ENTRY_BYTES :][:_ENTRY_BYTES], _bound_to(name, generation))
            for generation in range(len(data) // _ENTRY_BYTES)
        ]
        if not any(keys):
            raise KeyMissingError(f"journal {name}: its key does not open with this master key")
        return keys

    def has(self, name: str) -> bool:
        """Whether a journal has keys."""
        return self._path(name).exists()

    def shred(self, name: str) -> bool:
        """Destroy the keys of a journal: overwritten, then removed. False when there were none."""
        path = self._path(name)
        try:
            with path.open("r+b", buffering=0) as file:
                file.write(secrets.token_bytes(path.stat().st_size))
                os.fsync(file.fileno())
            path.unlink()
        except FileNotFoundError:
            return False
        sync_folder(self._folder)
        return True

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.key"

    def _generations(self, name: str) -> int:
        """How many whole keys a journal has."""
        path = self._path(name)
        return path.stat().st_size // _ENTRY_BYTES if path.exists() else 0

    def _unwrap(self, entry: bytes, bound_to: bytes) -> AESGCM | None:
        try:
            return AESGCM(self._master.decrypt(entry[:_NONCE_BYTES], entry[_NONCE_BYTES:], bound_to))
        except InvalidTag:
            return None

    def _prove(self) -> None:
        """A key of the vault's own tells a wrong master key at start, not in the middle of a call."""
        if not self._generations(_PROOF):
            self.new_key(_PROOF)
            return
        try:
            self.keys(_PROOF)
        except KeyMissingError:
            raise KeyMissingError(
                f"journal.master_key (left out: master.key in data.folder): expected the key that those in "
                f"{self._folder} were wrapped by, got another"
            ) from None


def own_master_key(path: Path) -> str:
    """The master key in `path`, made when there is none: the default of an installation that sets no other.

    Raises:
        JournalError: the file cannot be read or made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make_key_file(path)
        key = path.read_text(encoding="ascii").strip()
    except OSError as error:
        raise JournalError(f"the master key {path} cannot be used: {error.strerror}") from None
    except UnicodeDecodeError:
        raise JournalError(f"the master key {path} cannot be used: expected ASCII text") from None
    if not key:
        raise JournalError(f"the master key {path} is empty")
    return key


def _make_key_file(path: Path) -> None:
    """Whole or not at all, and never over one that another process has just made."""
    with NamedTemporaryFile(dir=path.parent) as file:
        file.write(b64encode(secrets.token_bytes(KEY_BYTES)))
        file.flush()
        os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(file.name, path)
    sync_folder(path.parent)


def _bound_to(name: str, generation: int) -> bytes:
    """What a wrapped key is good for, so that entries cannot be swapped between files."""
    return f"{name}/{generation}".encode()


def sync_folder(folder: Path) -> None:
    """What was made, renamed or removed in the folder is so after a loss of power, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
