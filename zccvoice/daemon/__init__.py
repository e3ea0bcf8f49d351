"""The only folder that runs anything: Trio lives here.

`serve` the task tree, start-up and drain order · `door` the HTTP endpoint · `webhook_journal` what it was told,
on disk before it answers · `supervisor` one call per stream · `call` one stream from first packet to last
utterance: `reception` what arrives, `recorder` its journal, `group_commit` which journals are written when,
`projection` (a core) the journal → facts and utterances, by `configured_language`, `sides`, `texts` (cores);
`hearing` what the recognizer is asked and answers, by `pins` (a core) the languages, and `editing` (another)
what is redacted; the `outcome` of all these; `side_by_side` what shows between tracks · `house` what calls share
· `transport` the seam to Zoom, `receiver` that seam on WebSockets: signaling and `media_line`s, on `websocket`,
whose `websocket_client` reads `frames` (a core) from `tcp` at a `beat`; or through Zoom's SDK: `sdk`, and in a
process of its own `sdk_child` · `transcriber` utterances → transcripts in worker threads, `detector` utterances →
languages, `remote` both on servers elsewhere · `outbox` what the database lacks, `writer` writes it, with what
`live_speech` hears of running calls · `past`, `recovery` what an earlier daemon left · `replay` a journal again
· `settings_in_use` what only their users can tell of settings · `sole` one daemon per data folder · `housekeeping`
chores · `metrics` counters · `log` structured logs · `zoom_api` Zoom's REST API · `rule_webhook` hits of rules,
posted · `recognition_server` the recognizer for other daemons · `asgi` what HTTP servers share · `endings` (a
core) what is over, for the supervisor.
"""
