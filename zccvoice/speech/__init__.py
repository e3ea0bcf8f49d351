"""Samples → text. No Zoom, no Trio.

`vad`, `silero` is this frame speech? · `detectors` which of them the settings ask for · `endpointer` decisions
→ stretches of speech · `confirmation` is that really speech? · `tones` music and tones, told from voices ·
`loudness` noise and levels of a track · `track` one participant: packets → utterances · `language` which
language is configured for a call · `pinning` holds a call to its language, or finds it out: for each `party`, by
`evidence` · `recognizer` utterances → transcripts, the seam · `window` what sound is padded to · `batch` (a core)
which utterances go together, and when; `packing` several of them in one window · `prompting` what is expected in
which queue · `weights` which there are, and getting them; `manifest` their checksums · `whisper` that seam on
CTranslate2: `features` of the sound, `decoding` its tokens; `remote` what servers are asked, `server_pool` (a
core) which of them, `serving` what we answer as one · `guarded` that seam behind a `guard`: what is not believed,
by `repetition` and `phrases.toml` · `utterance` the values.
"""
