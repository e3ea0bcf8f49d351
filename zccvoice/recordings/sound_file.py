"""What a sound file holds, and its samples, a stretch at a time: a file of hours takes no more memory than any.

FFmpeg reads what has a container, and takes off what encoders put before the sound (MP3, Opus). Raw G.711 and
G.722 have no container; they go through the decoders that streams go through. Where packets are broken, what comes
after them stays where it was, see `sound_frames`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
import numpy.typing as npt

from zccvoice.audio.codecs import g711, sample_count
from zccvoice.audio.decoder import Decoder
from zccvoice.audio.fitting import Fitting
from zccvoice.audio.frame import SAMPLE_RATE_HZ, AudioFormat, Encoding, Gap, Packet, Samples
from zccvoice.errors import RecordingError
from zccvoice.recordings.mended_file import MendedFile
from zccvoice.recordings.ogg_headers import Headers, mended_headers
from zccvoice.recordings.ogg_pages import last_page
from zccvoice.recordings.ogg_tail import Tail, cut_tail, only_tail
from zccvoice.recordings.seen_clipping import SeenClipping
from zccvoice.recordings.sound_frames import frames
from zccvoice.recordings.wave_size import cut_wave_duration_s, unread_wave_s

RAW_SUFFIXES = {
    ".al": Encoding.PCMA,
    ".alaw": Encoding.PCMA,
    ".ul": Encoding.PCMU,
    ".ulaw": Encoding.PCMU,
    ".g722": Encoding.G722,
}
"""Files without a container that are known by their names."""
NARROW_HZ = 8_000
HOLE_MS = 50
"""Timestamps that are less than this ahead of the samples are rounded ones; more is a hole."""
_CONTAINERS = "wav,w64,flac,ogg,mp3,mov,mp4,m4a,3gp,matroska,webm,aiff,au,aac,amr,caf,asf"
"""FFmpeg would also read playlists, and follow them to other files and hosts."""
_BIG_ENDIAN_WAVE = b"RIFX"
_CONTAINER_MARKS = (b"RIFF", b"RF64", _BIG_ENDIAN_WAVE, b"OggS", b"fLaC")
_RAW_BLOCK_BYTES = 8_000
_EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)

Channels = npt.NDArray[np.int16]
"""``int16[channels, n]``."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples without a hole."""

    position: int
    """Of the first one, from the beginning of the file, at the rate that was asked for."""
    samples: Channels


@dataclass(frozen=True, slots=True)
class SoundFile:
    """What a file says of itself."""

    path: Path
    channel_count: int
    """1 or 2."""
    rate_hz: int
    """8000 for sound of telephones, else 16000: what there is to keep of it."""
    duration_s: float | None
    """None where the file does not tell."""
    started_at: datetime | None
    """When the recording began, where the file tells; aware."""
    raw: Encoding | None = None
    """How its bytes are to be read, where there is no container."""
    is_end_missing: bool = False
    """Whether it seems to break off: an Ogg file whose last page does not end it."""
    headers: Headers | None = None
    """What it is read with instead of its own, where these are broken."""
    tail: Tail | None = None
    """What it is read with instead of its last page, where it is cut off within that."""
    unread_s: float = 0.0
    """How much sound seems to lie behind what it says that it holds, and is not read."""


def examine(path: Path, raw: Encoding | None = None) -> SoundFile:
    """Look at the beginning of a file.

    Args:
        path: the file.
        raw: it has no container, and this is how it is encoded; None for one whose name does not say so.

    Raises:
        RecordingError: it cannot be read, or is not a sound of one or two channels.
    """
    try:
        if path.is_dir():
            raise RecordingError(f"{path}: a folder; name the files in it, as in {path}/*")
        size_bytes = path.stat().st_size
        if size_bytes == 0:
            raise RecordingError(f"{path}: the file is empty")
        raw = raw or _raw_by_name(path)
        if raw is not None:
            rate_hz = SAMPLE_RATE_HZ if raw is Encoding.G722 else NARROW_HZ
            return SoundFile(path, 1, rate_hz, size_bytes / g711.RATE_HZ, None, raw)
        try:
            with _opened(path) as container:
                return _told(path, container)
        except av.FFmpegError:
            tail = only_tail(path)
            headers = mended_headers(path) if tail is None else None
            if tail is None and headers is None:
                raise
        with _opened(path, headers, tail) as container:
            return replace(_told(path, container), headers=headers)
    except (OSError, av.FFmpegError) as error:
        raise RecordingError(f"{path}: cannot be read: {error.strerror}") from None


def _raw_by_name(path: Path) -> Encoding | None:
    """None, too, where there is a container all the same: as raw sound it would be noise."""
    if (raw := RAW_SUFFIXES.get(path.suffix.lower())) is None:
        return None
    with path.open("rb") as file:
        return None if file.read(4) in _CONTAINER_MARKS else raw


def read(sound: SoundFile, rate_hz: int, seen: SeenClipping | None = None) -> Iterator[Stretch]:
    """Its sound, at 8 or 16 kHz, in order; ``read(...).close()`` closes the file.

    Args:
        sound: the file.
        rate_hz: 8000 or 16000.
        seen: is told the samples as they came, before those that are made of them; not where these are the same.

    Raises:
        RecordingError: the file cannot be read, or holds no sound at all.
    """
    stretches = (_read_container if sound.raw is None else _read_raw)(sound, rate_hz, seen)
    is_silent = True
    try:
        for stretch in stretches:
            if stretch.samples.size:
                is_silent = False
                yield stretch
    except (OSError, av.FFmpegError) as error:
        raise RecordingError(f"{sound.path}: cannot be read: {error.strerror}") from None
    if is_silent:
        raise RecordingError(f"{sound.path}: there is no sound in it")


@contextmanager
def _opened(path: Path, headers: Headers | None = None, tail: Tail | None = None) -> Iterator[Any]:
    options = {"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"}
    with ExitStack() as stack:
        file: Any = str(path.absolute())
        if headers is not None or tail is not None:
            file = MendedFile(stack.enter_context(path.open("rb")), headers, tail)
        yield stack.enter_context(av.open(file, mode="r", metadata_errors="replace", options=options))


def _told(path: Path, container: Any) -> SoundFile:
    if not container.streams.audio:
        raise RecordingError(f"{path}: there is no sound in it")
    if len(container.streams.audio) > 1:
        raise RecordingError(
            f"{path}: expected one audio track, got {len(container.streams.audio)}; make a file of each, or "
            "one with a channel for each side"
        )
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise RecordingError(f"{path}: FFmpeg cannot decode its sound")
    channel_count, rate_hz = stream.codec_context.layout.nb_channels, stream.codec_context.sample_rate
    if channel_count not in (1, 2) or not rate_hz:
        raise RecordingError(f"{path}: expected one or two channels, got {channel_count} at {rate_hz} Hz")
    duration_s = None if container.duration is None else container.duration / av.time_base
    with path.open("rb") as file:
        if file.peek(4).startswith(_BIG_ENDIAN_WAVE):
            raise RecordingError(
                f"{path}: is a WAV in big-endian order, which FFmpeg takes for noise: convert it"
            )
        duration_s = cut_wave_duration_s(file) or duration_s  # FFmpeg goes by what is there
        file.seek(0)
        unread_s = unread_wave_s(file)
        is_end_missing, tail = _ogg_end(file, container) if container.format.name == "ogg" else (False, None)
    tags = {name.lower(): text for name, text in (container.metadata | stream.metadata).items()}
    kept_hz = NARROW_HZ if rate_hz <= NARROW_HZ else SAMPLE_RATE_HZ
    return SoundFile(
        path,
        channel_count,
        kept_hz,
        duration_s,
        started_at(tags),
        is_end_missing=is_end_missing,
        tail=tail,
        unread_s=unread_s,
    )


def _ogg_end(file: BinaryIO, container: Any) -> tuple[bool, Tail | None]:
    """Whether it is missing, and what is left of it."""
    last = last_page(file)
    if last is None or last.is_last:
        return False, None
    if len(container.streams) > 1:
        return True, None  # whose page it is that is cut off would have to be known
    is_opus = container.streams.audio[0].codec_context.name.endswith("opus")
    return True, cut_tail(file, last, is_opus=is_opus)


def started_at(tags: dict[str, str]) -> datetime | None:
    """The moment that a file's tags tell, local where they name no zone; None for a day alone, or for nonsense.

    A Broadcast Wave has day and time in two tags, others have both in one.
    """
    date, time = tags.get("date", ""), tags.get("creation_time", "")
    for text in (time, f"{date}T{time}", date):
        try:
            moment = datetime.fromisoformat(text.strip()).astimezone(UTC)
        except (ValueError, OverflowError):  # a zone may lead out of the years that there are
            continue
        is_day_alone = len(text.strip()) <= len("2026-05-01")
        if not is_day_alone and _EARLIEST <= moment <= datetime.now(UTC) + timedelta(days=1):
            return moment
    return None


def _read_raw(sound: SoundFile, rate_hz: int, seen: SeenClipping | None) -> Iterator[Stretch]:
    position = 0
    for samples in _g711(sound) if rate_hz == NARROW_HZ else _decoded(sound, seen):
        yield Stretch(position, samples.reshape(1, -1))
        position += len(samples)


def _g711(sound: SoundFile) -> Iterator[Samples]:
    """As it is, at 8 kHz."""
    assert sound.raw is not None
    table = g711.table_of(sound.raw)
    for block in _blocks(sound.path):
        yield table.take(np.frombuffer(block, np.uint8))


def _decoded(sound: SoundFile, seen: SeenClipping | None) -> Iterator[Samples]:
    """At 16 kHz."""
    assert sound.raw is not None
    table = None if seen is None or sound.rate_hz == SAMPLE_RATE_HZ else g711.table_of(sound.raw)
    audio_format = AudioFormat(sound.raw, rate_hz=sound.rate_hz)
    decoder, pushed = Decoder(audio_format), 0
    for block in _blocks(sound.path):
        packet = Packet(pushed, sample_count(audio_format, block), block)
        pushed += packet.sample_count
        if seen is not None and table is not None:
            seen.push(table.take(np.frombuffer(block, np.uint8)).reshape(1, -1), NARROW_HZ)
        yield from _samples(decoder.decode([packet]))
    yield from _samples(decoder.flush())


def _samples(pieces: Iterable[Samples | Gap]) -> Iterator[Samples]:
    return (piece for piece in pieces if not isinstance(piece, Gap))


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_RAW_BLOCK_BYTES):
            yield block


def _read_container(sound: SoundFile, rate_hz: int, seen: SeenClipping | None) -> Iterator[Stretch]:
    with _opened(sound.path, sound.headers, sound.tail) as container:
        layout = "mono" if sound.channel_count == 1 else "stereo"
        line = _Line(sound, rate_hz, layout, seen)
        for frame, time_s in frames(container, sound.path, sound.duration_s, sound.headers):
            yield from line.push(frame, time_s)
        yield from line.flush()


class _Line:
    """Decoded frames → stretches at the wanted rate, each at its place."""

    def __init__(self, sound: SoundFile, rate_hz: int, layout: str, seen: SeenClipping | None) -> None:
        self._seen = seen
        self._as_came: Fitting | None = None
        self._longest_s = None if sound.duration_s is None else sound.duration_s + 1
        self._rate_hz = rate_hz
        self._layout = layout
        self._fitting = Fitting(rate_hz, layout)
        self._shift_s = 0.0  # from the times that frames are told to have to their places
        self._end_s = 0.0  # of what was pushed, from position 0
        self.position = 0
        """Of the next sample."""

    def push(self, frame: Any, time_s: float | None) -> Iterator[Stretch]:
        """Take in a frame, with its seconds from the beginning."""
        hole_s = self._hole_before(time_s)
        if hole_s:
            yield from self.flush()
            self._fitting = Fitting(self._rate_hz, self._layout)
            self._end_s += hole_s
            self.position = round(self._end_s * 1000) * self._rate_hz // 1000
            if self._seen is not None:
                self._seen.go_on_at(self.position)
        self._end_s += frame.samples / frame.sample_rate
        plain = _in_order(frame, self._layout)
        self._look_at(plain)
        yield from self._placed(self._fitting.push(plain))

    def flush(self) -> Iterator[Stretch]:
        """No more follows here."""
        yield from self._placed(self._fitting.flush())

    def _look_at(self, frame: Any) -> None:
        """Have its clipping seen, in samples of 16 bits, unless these are what is kept."""
        if self._seen is not None and frame.sample_rate != self._rate_hz and frame.samples:
            self._as_came = self._as_came or Fitting(frame.sample_rate, self._layout)
            for samples in self._as_came.push(frame):
                self._seen.push(samples, frame.sample_rate)

    def _hole_before(self, time_s: float | None) -> float:
        """Seconds that are missing before what is told to be there."""
        if time_s is None:
            return 0
        hole_s = time_s + self._shift_s - self._end_s
        is_beyond = self._longest_s is not None and self._end_s + hole_s > self._longest_s
        if hole_s < 0 or is_beyond:  # timestamps that begin anew, or are nonsense: it goes on here
            self._shift_s = self._end_s - time_s
            return 0
        if hole_s * 1000 < HOLE_MS:
            return 0
        if self._longest_s is not None and not self._end_s:
            self._longest_s += hole_s  # FFmpeg may have gone by what there is
        return hole_s

    def _placed(self, pieces: Iterable[Channels]) -> Iterator[Stretch]:
        for samples in pieces:
            yield Stretch(self.position, samples)
            self.position += samples.shape[1]


def _in_order(frame: Any, layout: str) -> Any:
    """The frame with its channels as they lie in the file, whatever loudspeakers it names for them.

    A side in each channel is no stereo: what is named a centre would be mixed into both.
    """
    if frame.layout.name == layout or frame.layout.nb_channels != av.AudioLayout(layout).nb_channels:
        return frame  # of another number of channels than it says: for the resampler to mix, or to refuse
    plain = av.AudioFrame.from_ndarray(frame.to_ndarray(), format=frame.format.name, layout=layout)
    plain.sample_rate, plain.pts, plain.time_base = frame.sample_rate, frame.pts, frame.time_base
    return plain
