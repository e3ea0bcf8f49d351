"""Bytes → samples. numpy; no Zoom, no clock.

`frame` what a payload is and where it stands · `timeline` puts payloads on the sample axis (a jitter buffer) ·
`codecs` payload → samples · `quality` level, clipping, noise, jitter · `sides` leakage and one-way audio,
from two tracks side by side.
"""
