"""Speech by espeak-ng inside the process: samples, and when each word and each phoneme of it is said.

The library rather than the program: a hundred sentences a second instead of ten, and the program does not tell
times. espeak-ng (GPL-3) is a tool of training, installed by whoever trains; nothing of it goes into the weights.

Source: espeak-ng's ``speak_lib.h``, API revision 12.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import random
from dataclasses import dataclass
from typing import Any

import numpy as np

from demo_model.line import RATE_HZ, Sound, resample

ACCENTS = {"en": ("en-us", "en-us", "en", "en-gb-scotland"), "es": ("es", "es-419"), "de": ("de",)}
HELD_OUT_ACCENTS = {"en": ("en-us-nyc", "en-gb-x-rp"), "es": ("es", "es-419"), "de": ("de",)}
VARIANTS = (
    *("", "m1", "m2", "m3", "m4", "m6", "m7", "f1", "f2", "f3", "f5", "klatt", "klatt3", "klatt4", "klatt5"),
    *("Alex", "Alicia", "Andrea", "Andy", "Annie", "Denis", "Diogo", "Gene", "Gene2", "Henrique", "Hugo"),
    *(
        "Jacky",
        "Lee",
        "Marco",
        "Mario",
        "Mike",
        "Nguyen",
        "adam",
        "anika",
        "announcer",
        "antonio",
        "benjamin",
    ),
    *(
        "boris",
        "caleb",
        "david",
        "ed",
        "edward",
        "edward2",
        "gustave",
        "iven",
        "john",
        "kaukovalta",
        "marcelo",
    ),
    *("max", "michel", "miguel", "norbert", "pablo", "paul", "pedro", "quincy", "rob", "sandro", "shelby"),
    *("steph", "steph2", "steph3", "travis", "victor", "zac"),
)
HELD_OUT_VARIANTS = ("m5", "m8", "f4", "klatt2", "linda", "michael", "belinda", "robert")
SLOWEST_WPM, FASTEST_WPM = 90, 250

_SYNCHRONOUS, _PHONEME_EVENTS, _UTF8 = 2, 1, 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_END, _WORD, _PHONEME = 0, 1, 7
_QUIET = 0.006
_BEFORE_S, _AFTER_S = 0.05, 0.1
"""What is left of the quiet around speech."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Who speaks, and how."""

    name: str
    """As espeak-ng has it: accent and variant."""
    rate_wpm: int
    pitch: int
    pitch_range: int
    """Both 0–99."""


@dataclass(frozen=True, slots=True, eq=False)
class Spoken:
    """What was said, and when."""

    sound: Sound
    """``float32[n]``, mono, 8 kHz."""
    words: list[tuple[int, float]]
    """Position of its first letter in the text, and seconds."""
    phonemes: list[tuple[str, float]]
    """espeak-ng's mnemonic, and seconds."""


def any_voice(
    language: str,
    chance: random.Random,
    *,
    held_out: bool = False,
    rates_wpm: tuple[int, int] = (SLOWEST_WPM, FASTEST_WPM),
) -> Voice:
    """A voice of the training, or one that is held out of it, at a speaking rate between these."""
    accent = chance.choice((HELD_OUT_ACCENTS if held_out else ACCENTS)[language])
    variant = chance.choice(HELD_OUT_VARIANTS if held_out else VARIANTS)
    name = f"{accent}+{variant}" if variant else accent
    return Voice(name, chance.randint(*rates_wpm), chance.randint(25, 75), chance.randint(30, 70))


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class Synthesizer:
    """espeak-ng. One in a process: the library keeps its state in globals."""

    def __init__(self) -> None:
        """Load the library and its data.

        Raises:
            SystemExit: it is not on this machine.
        """
        try:
            self._library = ctypes.CDLL(ctypes.util.find_library("espeak-ng") or "libespeak-ng.so.1")
        except OSError as error:
            raise SystemExit(
                f"the espeak-ng library is needed to make speech (Debian: libespeak-ng1, espeak-ng-data): {error}"
            ) from None
        self._rate_hz = self._library.espeak_Initialize(_SYNCHRONOUS, 0, None, _PHONEME_EVENTS)
        if self._rate_hz <= 0:
            raise SystemExit("espeak-ng does not start: expected its data (Debian: espeak-ng-data)")
        self._pieces: list[Any] = []
        self._words: list[tuple[int, float]] = []
        self._phonemes: list[tuple[str, float]] = []
        self._callback = _Callback(self._take)  # kept: ctypes would free it
        self._library.espeak_SetSynthCallback(self._callback)

    def say(self, text: str, voice: Voice) -> Spoken:
        """`text` in this voice, with little quiet around it.

        Raises:
            ValueError: there is no such voice, or nothing was to be heard.
        """
        if self._library.espeak_SetVoiceByName(voice.name.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice.name!r}")
        for parameter, value in ((_RATE, voice.rate_wpm), (_PITCH, voice.pitch), (_RANGE, voice.pitch_range)):
            self._library.espeak_SetParameter(parameter, value, 0)
        self._pieces, self._words, self._phonemes = [], [], []
        raw = text.encode() + b"\0"
        self._library.espeak_Synth(raw, ctypes.c_size_t(len(raw)), 0, 1, 0, _UTF8, None, None)
        if not self._pieces:
            raise ValueError(f"espeak-ng said nothing in voice {voice.name!r}")
        given = np.concatenate(self._pieces).astype(np.float32) / np.float32(32_768)
        sound = resample(given, self._rate_hz, RATE_HZ)
        loud = np.flatnonzero(np.abs(sound) > _QUIET)
        if not len(loud):
            raise ValueError(f"espeak-ng was silent in voice {voice.name!r}")
        first = max(0, int(loud[0]) - int(_BEFORE_S * RATE_HZ))
        last = int(loud[-1]) + int(_AFTER_S * RATE_HZ)
        before_s = first / RATE_HZ
        return Spoken(
            sound[first:last],
            [(position, max(0.0, at_s - before_s)) for position, at_s in self._words],
            [(name, max(0.0, at_s - before_s)) for name, at_s in self._phonemes],
        )

    def _take(self, samples: Any, count: int, events: Any) -> int:
        if samples and count > 0:
            self._pieces.append(np.ctypeslib.as_array(samples, (count,)).copy())
        place = 0
        while events[place].type != _END:
            event = events[place]
            if event.type == _WORD:
                self._words.append((event.text_position - 1, event.audio_position / 1000))
            elif event.type == _PHONEME:
                name = event.id.string.decode(errors="replace")
                self._phonemes.append((name, event.audio_position / 1000))
            place += 1
        return 0
