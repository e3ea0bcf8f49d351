"""libopus called in a loop in C: what decoding costs when nothing is around it. Needs a C compiler."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from zccvoice.audio.codecs.libopus import LibOpus
from zccvoice.audio.frame import SAMPLE_RATE_HZ

_SOURCE = """
typedef int (*decode_function)(void *, const unsigned char *, int, short *, int, int);
int loop(decode_function decode, void *decoder, const unsigned char *data, const int *sizes, int count, short *pcm)
{
    int total = 0;
    for (int i = 0; i < count; data += sizes[i++])
        total += decode(decoder, data, sizes[i], pcm, 1920, 0);
    return total;
}
"""
_ROOM_SAMPLES = 1_920


def opus_loop(library: LibOpus, payloads: Sequence[bytes]) -> Callable[[], int] | None:
    """Decodes all payloads to 16 kHz mono, each time it is called; None when there is no C compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        return None
    with tempfile.TemporaryDirectory(prefix="zccvoice-bench-") as name:
        source, built = Path(name) / "loop.c", Path(name) / "loop.so"
        source.write_text(_SOURCE, encoding="ascii")
        command = [compiler, "-O2", "-shared", "-fPIC", "-o", str(built), str(source)]
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:  # noqa: S603
            return None
        loop = ctypes.PyDLL(str(built)).loop
    data = b"".join(payloads)
    sizes = np.array([len(payload) for payload in payloads], np.int32)
    samples = np.empty(_ROOM_SAMPLES, np.int16)
    memory = ctypes.create_string_buffer(library.decoder_bytes(1))
    library.start_decoder(ctypes.addressof(memory), SAMPLE_RATE_HZ, 1)

    def run() -> int:
        total: int = loop(
            ctypes.cast(library.decode, ctypes.c_void_p),  # type: ignore[arg-type]
            memory,
            data,
            ctypes.c_void_p(sizes.ctypes.data),
            len(sizes),
            ctypes.c_void_p(samples.ctypes.data),
        )
        return total

    return run
