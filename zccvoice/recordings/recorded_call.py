"""Which files and channels are whose side of which call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from zccvoice.errors import RecordingError
from zccvoice.recordings.sound_file import SoundFile
from zccvoice.rtms.events import Role

_SIDE_IN_NAME = re.compile(r"(.+)([-_. ])(agent|customer)", re.IGNORECASE)
_ROLES = {"agent": Role.USER, "customer": Role.CONSUMER}
_READ_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Files:
    """The files of one call: one, or one for each side."""

    paths: tuple[Path, ...]
    roles: tuple[Role | None, ...]
    """Whose side each file is; None where its channels have to tell."""

    @property
    def name(self) -> str:
        """What results are called after: the file's name without what tells its side or its format."""
        stem = self.paths[0].stem
        named = _SIDE_IN_NAME.fullmatch(stem) if len(self.paths) > 1 else None
        return named[1] if named else stem

    def __str__(self) -> str:
        return " + ".join(map(str, self.paths))


@dataclass(frozen=True, slots=True)
class Leg:
    """One channel of one file: a track."""

    channel_id: str
    file: int
    channel: int
    role: Role | None
    """None in a mix of everybody."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call that was recorded."""

    sounds: tuple[SoundFile, ...]
    legs: tuple[Leg, ...]
    engagement_id: str
    stream_id: str
    """From the content of the files, so that the same recording is the same stream wherever it lies."""
    started_at: datetime
    queue: str | None = None

    @property
    def rate_hz(self) -> int:
        """Of the samples that are kept: the highest of its files."""
        return max(sound.rate_hz for sound in self.sounds)

    @property
    def duration_s(self) -> float | None:
        """What the files say."""
        told = [sound.duration_s for sound in self.sounds if sound.duration_s is not None]
        return max(told, default=None)


def in_calls(paths: Iterable[Path]) -> list[Files]:
    """Files → calls: ``x-agent.wav`` and ``x-customer.wav`` of one folder are two sides of one call.

    The separator may be ``-``, ``_``, ``.`` or a blank, the same one in both. Of a side without its other side
    the name still counts; of two files that would be the same side, the second one begins another call.
    """
    found: dict[tuple[Path, str, str, str], dict[str, Path]] = {}
    calls: list[Files | dict[str, Path]] = []
    for path in dict.fromkeys(paths):
        named = _SIDE_IN_NAME.fullmatch(path.stem)
        if named is None:
            calls.append(Files((path,), (None,)))
            continue
        name, separator, side = named[1], named[2], named[3].lower()
        key = path.parent, name, separator, path.suffix.lower()
        if side in found.setdefault(key, {}):
            found[key] = {}
        if not found[key]:
            calls.append(found[key])
        found[key][side] = path
    return [one if isinstance(one, Files) else _of_sides(one) for one in calls]


def _of_sides(sides: dict[str, Path]) -> Files:
    ordered = sorted(sides)
    return Files(tuple(sides[one] for one in ordered), tuple(_ROLES[one] for one in ordered))


def content_id(paths: Sequence[Path]) -> str:
    """The same for the same bytes in the same order.

    Raises:
        RecordingError: a file cannot be read.
    """
    digest = blake2b(digest_size=16)
    for path in paths:
        of_file = blake2b(digest_size=32)
        try:
            with path.open("rb") as file:
                while piece := file.read(_READ_BYTES):
                    of_file.update(piece)
        except OSError as error:
            raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None
        digest.update(of_file.digest())
    return f"recording-{digest.hexdigest()}"


def legs_of(
    files: Files, sounds: Sequence[SoundFile], *, agent: str | None, mono: Role | None
) -> tuple[Leg, ...]:
    """The tracks of a call.

    Args:
        files: its files.
        sounds: what each of them holds.
        agent: where two channels are two sides, the agent's: ``left`` or ``right``.
        mono: whose side a file of one channel is that is called after nobody; None for a mix of all.

    Raises:
        RecordingError: it cannot be told whose a channel is.
    """
    if len(sounds) == 1 and sounds[0].channel_count == 2 and files.roles == (None,):
        if agent is None:
            raise RecordingError(
                f"{files}: has two channels; say whose they are: --agent left, or --agent right (Amazon Connect, "
                "Twilio Flex)"
            )
        left, right = (Role.USER, Role.CONSUMER) if agent == "left" else (Role.CONSUMER, Role.USER)
        return Leg("left", 0, 0, left), Leg("right", 0, 1, right)
    legs = []
    for number, (sound, named) in enumerate(zip(sounds, files.roles, strict=True)):
        if sound.channel_count != 1:
            raise RecordingError(f"{sound.path}: expected the one channel of one side, got two")
        role = named or mono
        name = "mono" if role is None else "agent" if role is Role.USER else "customer"
        legs.append(Leg(name, number, 0, role))
    return tuple(legs)


def begin_of(sounds: Sequence[SoundFile]) -> datetime:
    """When a call began: by its files' own word, else by their date: a recorder writes until the call is over.

    Raises:
        RecordingError: a file is not there any more.
    """
    told = [sound.started_at for sound in sounds if sound.started_at is not None]
    if told:
        return min(told)
    try:
        written = [sound.path.stat().st_mtime - (sound.duration_s or 0) for sound in sounds]
        return datetime.fromtimestamp(min(written), UTC)
    except OSError as error:
        raise RecordingError(f"{sounds[0].path}: cannot be read: {error.strerror}") from None


def apart_s(sounds: Sequence[SoundFile]) -> float:
    """How many seconds lie between the beginnings that the files of a call tell; 0 where not all of them do."""
    told = [sound.started_at for sound in sounds if sound.started_at is not None]
    return (max(told) - min(told)).total_seconds() if len(told) == len(sounds) else 0.0
