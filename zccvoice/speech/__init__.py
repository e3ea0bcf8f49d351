"""Samples → text. No Zoom, no Trio.

`vad` is this frame speech? · `endpointer` decisions → utterances · `track` one participant: packets →
utterances · `language` which language a call is pinned to · `recognizer` utterance → transcript, the seam ·
`whisper` that seam on faster-whisper · `utterance` the values.
"""
