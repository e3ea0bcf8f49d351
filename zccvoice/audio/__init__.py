"""Bytes → samples. numpy, PyAV, libopus; no Zoom, no clock.

`frame` what a payload is and where it stands · `timeline` puts payloads on the sample axis (a jitter buffer) ·
`arrivals` those that wait for a place there, or come too late · `seconds` those with coarse timestamps ·
`turning` those that tell that timestamps become so · `holes` what the gaps are · `rtp` unwraps · `codecs`
payloads → samples · `resampler` any rate → 16 kHz · `decoder` all of these in a row, with what is heard in gaps
· `trail` what a stretch was made of · `quality` level, clipping, noise, jitter · `sides` leakage and one-way
audio, from two tracks side by side.
"""
