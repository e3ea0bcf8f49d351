"""Zoom's Realtime Media Streams protocol. No I/O, no clock, no numpy.

`messages` the values, `enums` their numbers · `wire` JSON ↔ messages · `signature` the HMACs · `webhook` request
→ event and answer · `identity` who we are on a stream · `core` what both connections have in common, `signaling`
and `media` the two · `events` what the rest of the program hears of a stream.
"""
