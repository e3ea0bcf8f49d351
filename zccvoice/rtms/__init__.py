"""Zoom's Realtime Media Streams protocol. No I/O, no clock, no numpy.

`messages` the values and enums · `wire` JSON ↔ messages · `signature` the HMACs · `webhook` request → event
and answer · `identity` who we are on a stream · `signaling`, `media` the two connections as sans-I/O cores ·
`events` what the rest of the program hears of a stream.
"""
