"""What must not be lost: everything a stream received, and what we derived from it, in one append-only file.

A journal is a file of sealed records; a record holds what came in about a quarter of a second. Where to start:
`journal` writes and reads one file.

- `record`   the framing: length, checksum, encryption; finding the next record after a damaged one
- `entry`    what is in a record: audio packets, and any other value as a named dataclass
- `packets`  audio packets in few bytes beside their payloads; `tracks`: numbers for their channel ids
- `varint`   numbers as bytes
- `vault`    a key per journal, wrapped by the master key; shredding it is deleting the sound
- `journal`  `JournalWriter` appends, `JournalReader` follows and reads back
- `passage`  any range of a track's samples, from the file
- `shelf`    the folder: open and closed journals, the disk budget, what may be deleted first

Knows Zoom's audio packets and no more; no clock, no Trio: `daemon.recorder` writes off the loop.
"""
