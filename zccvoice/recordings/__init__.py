"""Sound files: what call centres have already, into journals; and journals' sound out into files again.

A recording is written into a journal as if it had been received. From there on it is a stream like any other:
one pipeline, one place where sound is kept, encrypted, under retention, and erased.

- `sound_file`   what a file holds, and its samples, a stretch at a time
- `sound_frames` what can be decoded of it where it is broken, and where that belongs
- `mp3_info`     how many frames an MP3 says that it has
- `ogg_tail`     the last sound of such a file that was cut off within a page
- `mended_file`  such a file as FFmpeg is to see it
- `ogg_pages`    which pages of an Ogg file are whole
- `ogg_clock`    when the frames of an Ogg file are
- `ogg_headers`  what such a file is read with whose headers are broken
- `seen_clipping` where a file is clipped, before it is resampled
- `recorded_call` which files and channels are whose side of which call
- `intake`       a recorded call → a journal
- `transcription` that journal → facts, kept in it, so that what was interrupted goes on
- `outcome`      facts → the report of a call, without a database
- `playback`     journals → the sides of a call, on one clock
- `call_sound`   who is heard in which channel of a call's sound, and whether it is all there
- `sound_writer` samples → WAV, FLAC or Ogg
"""
