"""Which weights there are, which are here, and how they come here: from their hub, a folder, or an archive.

What is fetched or installed lies in ``models`` of ``data.folder``, one folder per name, which ``speech.model`` can
name. It appears there when it is whole.
"""

from __future__ import annotations

import lzma
import re
import shutil
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from zccvoice.errors import RecognizerError
from zccvoice.speech.hub import OnProgress, download
from zccvoice.speech.manifest import write_manifest
from zccvoice.speech.whisper import DEMO_MODEL, weights_location

REQUIRED = ("config.json", "model.bin", "tokenizer.json")
_FILES = re.compile(r"(config|preprocessor_config|tokenizer)\.json|model\.bin|vocabulary\.\w+|README\.md")
_NAME = re.compile(r"\w[\w.-]*")
_UNREADABLE = (
    OSError,
    EOFError,
    RuntimeError,
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)
"""What a folder or an archive raises that cannot be read. `zipfile` has RuntimeError for one that wants a password
and NotImplementedError, which is one, for packing that it does not know; what unpacks has errors of its own."""
_SIZES_MB = {
    "tiny": 75,
    "base": 145,
    "small": 484,
    "medium": 1_530,
    "large": 3_090,
    "distil-large": 1_510,
    "distil-medium": 789,
    "distil-small": 332,
    "large-v3-turbo": 1_620,
    "turbo": 1_620,
}
"""About, by the name or what it begins with."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One name of faster-whisper's table."""

    name: str
    repository: str
    """Of its hub."""
    size_mb: int
    """To be fetched, about."""
    folder: Path | None
    """Where they are on this machine."""


def known_weights(models: Path) -> list[Weights]:
    """Every name of the table, with where its weights are: in `models`, or in the hub's cache."""
    from faster_whisper.utils import _MODELS

    return [
        Weights(name, repository, _size_mb(name), _local(name, repository, models))
        for name, repository in _MODELS.items()
    ]


def _size_mb(name: str) -> int:
    plain = name.removesuffix(".en")
    begins = max((one for one in _SIZES_MB if plain.startswith(one)), key=len)
    return _SIZES_MB[begins]


def _local(name: str, repository: str, models: Path) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    if (models / name / "model.bin").is_file():
        return models / name
    cached = try_to_load_from_cache(repository, "model.bin")
    return Path(cached).parent if isinstance(cached, str) else None


def folder_of(name: str, models: Path) -> Path:
    """Where the weights of a name are: `demo`, a folder, an installed one, or one of the table.

    Raises:
        RecognizerError: they are not on this machine.
    """
    if name == DEMO_MODEL:
        return Path(weights_location(name))
    for folder in (models / name, Path(name)):
        if (folder / "model.bin").is_file():
            return folder
    found = next((one.folder for one in known_weights(models) if one.name == name), None)
    if found is None:
        raise RecognizerError(f"the weights {name!r} are not on this machine: zccvoice models fetch {name}")
    return found


def fetch(
    name: str,
    models: Path,
    endpoint: str | None = None,
    on_progress: OnProgress = lambda file, here, size: None,
) -> Path:
    """Fetch weights from their hub; what was begun is gone on with.

    Args:
        name: of the table.
        models: that they are to be in.
        endpoint: the hub's URL, or None for the usual one.
        on_progress: called as bytes come.
        on_progress: called as bytes come.

    Raises:
        RecognizerError: no such name, they are there already, or the hub cannot be reached.
    """
    repository = next((one.repository for one in known_weights(models) if one.name == name), None)
    if repository is None:
        raise RecognizerError(f"expected a name that zccvoice models list shows, got {name!r}")
    with _coming(name, models, keeps=True) as folder:
        try:
            download(
                repository, folder, lambda file: _FILES.fullmatch(file) is not None, on_progress, endpoint
            )
        except (
            Exception
        ) as error:  # the hub's client raises those of its HTTP client, the disk's, and its own
            raise RecognizerError(
                f"cannot fetch {name!r} ({repository}): {type(error).__name__}. What has come so far is kept. "
                f"Without access to the hub: zccvoice models fetch {name} --from FOLDER_OR_ARCHIVE"
            ) from error
    return models / name


def install(name: str, source: Path, models: Path) -> Path:
    """Copy weights from a folder or an archive (tar, zip): only files that Whisper's weights have, and no links.

    Raises:
        RecognizerError: it holds no weights or cannot be read, or weights of that name are there already.
    """
    with _coming(name, models) as folder:
        try:
            for file_name, file in _files(source):
                if (folder / file_name).exists():
                    raise RecognizerError(
                        f"{source}: expected the weights of one model, got {file_name} twice"
                    )
                with file, (folder / file_name).open("wb") as copy:
                    shutil.copyfileobj(file, copy)
        except _UNREADABLE as error:
            raise RecognizerError(
                f"cannot read weights from {source}: {type(error).__name__}: {error}"
            ) from error
    return models / name


@contextmanager
def _coming(name: str, models: Path, *, keeps: bool = False) -> Iterator[Path]:
    """A folder to fill, which gets the name when it holds weights; what is not whole goes, unless it is kept."""
    if not _NAME.fullmatch(name):
        raise RecognizerError(f"expected a name of letters, digits, '.', '-' and '_', got {name!r}")
    target, coming = models / name, models / f".{name}.coming"
    if target.exists():
        raise RecognizerError(f"{target} is there already")
    if not keeps:
        shutil.rmtree(coming, ignore_errors=True)
    try:
        coming.mkdir(parents=True, exist_ok=True)
        yield coming
        missing = [one for one in REQUIRED if not (coming / one).is_file()]
        if missing:
            raise RecognizerError(
                f"{name}: expected a CTranslate2 Whisper model, got none of {', '.join(missing)}"
            )
        write_manifest(coming)
        coming.rename(target)
    except OSError as error:
        raise RecognizerError(f"cannot write weights to {target}: {error.strerror}") from error
    finally:
        if not keeps:
            shutil.rmtree(coming, ignore_errors=True)


def _files(source: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Files of weights by their bare names: a path in an archive leads nowhere."""
    if source.is_dir():
        for path in sorted(source.iterdir()):
            if _FILES.fullmatch(path.name) and path.is_file():
                yield path.name, path.open("rb")
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            for entry in archive.infolist():
                if _FILES.fullmatch(PurePosixPath(entry.filename).name) and not entry.is_dir():
                    yield PurePosixPath(entry.filename).name, archive.open(entry)
    else:
        with tarfile.open(source) as bundle:
            for member in bundle:
                file = bundle.extractfile(member) if member.isreg() else None
                if file is not None and _FILES.fullmatch(PurePosixPath(member.name).name):
                    yield PurePosixPath(member.name).name, file
