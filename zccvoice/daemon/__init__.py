"""The only folder that runs anything: Trio lives here.

`serve` the task tree, start-up and drain order · `door` the HTTP endpoint · `supervisor` one call per stream ·
`call` one stream from first packet to last utterance · `transport` the seam to Zoom, `websocket` that seam on
trio-websocket · `transcriber` utterances → transcripts in worker threads · `writer` facts → Postgres ·
`housekeeping` the chores, `retention` those that delete · `metrics` counters · `log` structured logs.
"""
