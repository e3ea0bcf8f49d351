"""Utterances and events of one engagement → its measures. Pure functions: no I/O, no clock, no state.

Where to start: `scorecard` says what every measure is and gathers them.

- `record`      the input: everything stored about one engagement, as one value
- `thresholds`  the numbers in the definitions, as data
- `spans`       union, intersection and subtraction of stretches of time
- `remembered`  found once per call, though many measures rest on it
- `timing`      open time, speech, hold, pause, gap, silence, overtalk
- `turns`       back-channels, turns, interruptions, response gaps
- `parts`       what each of several agents did in his part of the call
- `roles`       whose side a leg is on, and from when
- `attribution` who spoke in a mixed track
- `wording`     words, talk speed, questions, fillers; `unspaced` says in which scripts words cannot be counted
- `sound`       loudness, clipping, noise, packets
- `sentiment`   how people feel about it, as far as their words tell
- `scorecard`   the output: every measure with its published definition
- `rules`       what a supervisor wants to be told of, as data: `rules_file` reads it, `rules_matching` finds it
                in a call, `rules_phrases` finds words
- `redaction`   what must not be stored, taken out of a transcript before it is stored
"""
