"""Zoom's Realtime Media Streams protocol. No I/O, no clock, no numpy.

`messages` the values, `enums` their numbers · `wire` JSON ↔ messages · `signature` the HMACs · `webhook` request
→ event and answer, `payload` reads it · `identity` who we are on a stream · `core` what both connections have in
common, `signaling` and `media` the two · `events` what the rest of the program hears of a stream, `event_names`
how these may be called · `explanations` what Zoom's numbers and our causes mean in plain words (`explained_ends`,
`explained_statuses`, in `wording`).
"""
