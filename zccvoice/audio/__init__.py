"""Bytes → samples. numpy; no Zoom, no clock.

`frame` what a payload is and where it stands · `timeline` puts payloads on the sample axis (a jitter buffer) ·
`codecs` payload → samples · `quality` level and clipping.
"""
