"""What FFmpeg has decoded → 16-bit samples at the rate that is wanted, as a stream, whatever it was before.

The resampler is FFmpeg's, with a filter four times as long as by itself: that one leaves an image of what is near
the edge of the telephone's band only 50 dB below it, and weakens what is near 7 kHz.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import av
import numpy as np
import numpy.typing as npt

_FILTER_SIZE = "128"
"""Samples at the lower one of both rates that each sample is made of."""


class Fitting:
    """The filter of one sound, which begins where the first frame does."""

    def __init__(self, rate_hz: int, layout: str) -> None:
        """`layout`: ``mono`` or ``stereo``, of what it gives."""
        self._rate_hz = rate_hz
        self._layout = layout
        self._graph: Any = None
        self._taken: tuple[object, ...] = ()

    def push(self, frame: Any) -> Iterator[npt.NDArray[np.int16]]:
        """What is complete by now, ``int16[channels, n]`` each.

        Raises:
            ValueError: the frame is not like the first one.
            av.FFmpegError: FFmpeg cannot make of it what is wanted.
        """
        given = frame.format.name, frame.layout.name, frame.sample_rate
        if self._graph is None:
            self._graph, self._taken = self._new_graph(*given), given
        if given != self._taken:
            raise ValueError(f"expected frames of {self._taken}, got {given}")
        self._graph.push(frame)
        yield from self._pulled()

    def flush(self) -> Iterator[npt.NDArray[np.int16]]:
        """The rest. Nothing can be pushed after it."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._pulled()

    def _pulled(self) -> Iterator[npt.NDArray[np.int16]]:
        while True:
            try:
                made = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):  # not before more is pushed
                return
            yield made.to_ndarray()

    def _new_graph(self, sample_format: str, layout: str, rate_hz: int) -> Any:
        graph: Any = av.filter.Graph()
        graph.link_nodes(
            graph.add("abuffer", sample_fmt=sample_format, channel_layout=layout, sample_rate=str(rate_hz)),
            graph.add("aresample", filter_size=_FILTER_SIZE),
            graph.add(
                "aformat", sample_fmts="s16p", channel_layouts=self._layout, sample_rates=str(self._rate_hz)
            ),
            graph.add("abuffersink"),
        ).configure()
        return graph
