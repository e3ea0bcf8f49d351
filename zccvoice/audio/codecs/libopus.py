"""The few functions of libopus that are needed, through ctypes: FFmpeg gives neither concealment nor FEC.

The system's library if there is one, else the one that comes with PyAV's wheels. Calls keep the interpreter's
lock: they last some 20 µs, less than giving it up and getting it back costs beside another busy thread.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Protocol, cast

import av

_SYSTEM_NAMES = ("libopus.so.0", "libopus.0.dylib", "libopus-0.dll", "opus.dll")
_BUNDLES = ("../av.libs/libopus*", "../av.libs/opus*", ".dylibs/libopus*")
"""Where tools that make wheels put libraries, seen from PyAV's folder; the names carry a hash."""


class Function(Protocol):
    """A function of the library."""

    def __call__(self, *arguments: object) -> int:
        """An int of C."""
        ...


class LibOpus:
    """A loaded library."""

    def __init__(self, path: str) -> None:
        """Load and check it.

        Raises:
            OSError: there is no such library, or it is for another machine.
            AttributeError: it lacks what is needed.
        """
        library = ctypes.PyDLL(path)
        self.path = path
        """Where it was found."""
        library.opus_get_version_string.restype = ctypes.c_char_p
        self.version: str = library.opus_get_version_string().decode(errors="replace")
        """As it tells it itself."""
        self.decoder_bytes: Function = cast("Function", library.opus_decoder_get_size)
        """(channels): bytes of a decoder."""
        self.start_decoder: Function = cast("Function", library.opus_decoder_init)
        """(decoder, rate, channels): 0, or an error below it."""
        library.opus_decoder_init.argtypes = [ctypes.c_void_p, ctypes.c_int32, ctypes.c_int]
        self.decode: Function = cast("Function", library.opus_decode)
        """(decoder, packet or None, its bytes, samples, room per channel, FEC): samples per channel, or an error
        below 0. Its types are not declared, for that takes longer than the call itself: addresses have to be
        buffers or ``c_void_p``."""


@cache
def load() -> LibOpus | None:
    """The first library that has what is needed; None when there is none."""
    for path in _candidates():
        try:
            return LibOpus(path)
        except (OSError, AttributeError):
            continue
    return None


def _candidates() -> Iterator[str]:
    yield from _SYSTEM_NAMES
    home = Path(av.__file__).parent
    for pattern in _BUNDLES:
        folder, name = pattern.rsplit("/", 1)
        yield from sorted(str(path) for path in (home / folder).glob(name))
