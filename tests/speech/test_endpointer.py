from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zccvoice.speech.endpointer import Endpointer, SpeechSpan
from zccvoice.speech.vad import Decisions

HANGOVER, LONGEST = 25, 200


def run(frames: str | list[tuple[bool, float]], at_once: int = 1, **changes: int) -> list[SpeechSpan]:
    """``x`` is a speech frame, ``.`` is none."""
    settings = {
        "onset_frames": 4,
        "shortest_frames": 6,
        "hangover_frames": HANGOVER,
        "longest_frames": LONGEST,
    }
    endpointer = Endpointer(**{**settings, **changes})
    if isinstance(frames, str):
        frames = [(frame == "x", -20.0 if frame == "x" else -60.0) for frame in frames]
    spans: list[SpeechSpan] = []
    for at in range(0, len(frames), at_once):
        some = frames[at : at + at_once]
        spans += endpointer.push(Decisions([flag for flag, _ in some], [level for _, level in some]))
    last = endpointer.flush()
    return spans + ([last] if last else [])


def test_one_utterance() -> None:
    assert run("." * 10 + "x" * 50 + "." * 40) == [SpeechSpan(10, 60)]


def test_the_onset_looks_back_to_the_first_speech_frame() -> None:
    assert run("." * 10 + "x.x.xx" + "x" * 20 + "." * 40) == [SpeechSpan(10, 36)]


def test_too_few_speech_frames_do_not_begin() -> None:
    assert run(("." * 5 + "xxx" + "." * 5) * 10) == []


def test_a_click_is_no_utterance() -> None:
    assert run("." * 10 + "xxxxx" + "." * 40) == []
    assert run("." * 10 + "xxxxxx" + "." * 40) == [SpeechSpan(10, 16)]


def test_a_pause_shorter_than_the_hangover_does_not_end() -> None:
    assert run("x" * 30 + "." * (HANGOVER - 1) + "x" * 30) == [SpeechSpan(0, 60 + HANGOVER - 1)]
    assert run("x" * 30 + "." * HANGOVER + "x" * 30) == [
        SpeechSpan(0, 30),
        SpeechSpan(30 + HANGOVER, 60 + HANGOVER),
    ]


def test_a_long_one_is_cut_at_its_quietest_place() -> None:
    levels = [-20.0] * 300
    levels[150:160] = [-35.0] * 10
    levels[60:80] = [-50.0] * 20  # quieter still, but not in the last third
    spans = run([(True, level) for level in levels])
    assert spans == [SpeechSpan(0, 155, is_cut=True), SpeechSpan(155, 300)]


def test_a_long_one_that_fell_silent_is_not_cut_in_two() -> None:
    assert run("x" * 181 + "." * 60) == [SpeechSpan(0, 181)]


frames = st.lists(st.tuples(st.booleans(), st.floats(-90, 0)), max_size=700)
bursts = st.lists(st.tuples(st.booleans(), st.integers(1, 260), st.floats(-60, 0)), max_size=12).map(
    lambda runs: [(is_speech, level) for is_speech, length, level in runs for _ in range(length)]
)


@given(frames | bursts)
def test_spans_are_ordered_disjoint_bounded_and_inside(script: list[tuple[bool, float]]) -> None:
    position = 0
    for span in run(script):
        assert position <= span.start < span.end <= len(script)
        assert 6 <= span.end - span.start <= LONGEST
        assert span.is_cut or script[span.end - 1][0], "ends on its last speech frame"
        position = span.end


@given(frames | bursts, st.integers(2, 700))
def test_many_frames_at_once_are_the_same_as_one_by_one(
    script: list[tuple[bool, float]], at_once: int
) -> None:
    assert run(script, at_once, doubtful_frames=120) == run(script, doubtful_frames=120)


def test_a_long_one_is_told_when_it_becomes_doubtful() -> None:
    assert run("." * 10 + "x" * 50 + "." * 40, 9, doubtful_frames=50) == [
        SpeechSpan(10, 60, is_cut=True, is_open=True),
        SpeechSpan(10, 60),
    ]


def test_one_that_is_dropped_meanwhile_is_not_given_again() -> None:
    endpointer = Endpointer(
        onset_frames=4,
        shortest_frames=6,
        hangover_frames=HANGOVER,
        longest_frames=LONGEST,
        doubtful_frames=60,
    )
    spans: list[tuple[SpeechSpan, int]] = []
    for span in endpointer.push(Decisions([True] * 90 + [False] * 40, [-20.0] * 130)):
        spans.append((span, endpointer.position))
        if span.is_open:
            endpointer.flush()
    assert spans == [
        (SpeechSpan(0, 60, is_cut=True, is_open=True), 60),
        (SpeechSpan(60, 90), 90 + HANGOVER),
    ]


@given(bursts)
def test_no_speech_is_lost(script: list[tuple[bool, float]]) -> None:
    """Every run of speech that is long enough to begin an utterance lies inside one."""
    covered = [False] * len(script)
    for span in run(script, shortest_frames=0):
        covered[span.start : span.end] = [True] * (span.end - span.start)
    run_length = 0
    for index, (is_speech, _) in enumerate(script):
        run_length = run_length + 1 if is_speech else 0
        if run_length >= 4:
            assert all(covered[index - run_length + 1 : index + 1])
