"""A journal, from its beginning to its end, through the very code that ran while it was written.

For a bug report, a call made anew with better weights, another database, or a test on a golden journal. The
journal itself is only read. Blocking; recognition runs in threads beside.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from zccvoice.analytics.pseudonym import PhonePseudonym
from zccvoice.analytics.sentiment import load_scorers
from zccvoice.config import Config
from zccvoice.daemon.detector import Probabilities, detect
from zccvoice.daemon.editing import Editor
from zccvoice.daemon.outcome import Outcome, Remark, Spoken, Unclear
from zccvoice.daemon.past import Past, read_past
from zccvoice.daemon.pins import Pins
from zccvoice.daemon.projection import Projection
from zccvoice.daemon.restating import Stated
from zccvoice.daemon.transcriber import heard_in, item_of, not_heard_in, transcribe_one
from zccvoice.errors import JournalError, RecognizerError
from zccvoice.journal.journal import START, Damage, JournalReader, Record
from zccvoice.journal.passage import read_samples
from zccvoice.journal.record import Kind
from zccvoice.rtms.events import StreamEnded
from zccvoice.speech.language import LanguagePolicy
from zccvoice.speech.prompting import PromptPolicy
from zccvoice.speech.recognizer import Recognizer
from zccvoice.store.facts import Fact, ParticipantSeen, StreamOpened, UtteranceHeard

OpenReader = Callable[[], JournalReader]
OnProgress = Callable[[int, int], None]
"""(bytes done, bytes in all)."""


def replay(
    open_reader: OpenReader,
    config: Config,
    phones: PhonePseudonym,
    recognizer: Recognizer | None = None,
    *,
    keeps_transcripts: bool = True,
    on_progress: OnProgress = lambda done, total: None,
) -> Generator[Fact]:
    """All facts of a journal, in order; the last two are what it amounts to and how the stream ended.

    Close the iterator to break off; what is being recognized then is waited for.

    Args:
        open_reader: opens the journal; several are open at once.
        config: how speech is cut and languages are chosen. A language that was pinned stays so.
        phones: what is kept of phone numbers.
        recognizer: for utterances without a transcript in the journal; without one they have none.
        keeps_transcripts: take those of the journal; False has everything transcribed again.
        on_progress: told now and then.

    Raises:
        JournalError: it cannot be read, or does not say whose stream it holds.
    """
    with open_reader() as reader:
        past = read_past(reader)
        if past.started is None:
            raise JournalError("a journal that does not say whose stream it holds")
        projection = Projection(
            past.started,
            vad=config.speech.vad,
            languages=LanguagePolicy(config.language),
            phones=phones,
            agents=config.measures.agents,
        )
        pins = Pins((past.started.engagement_id, past.started.stream_id), config.language, past.pins)
        if not keeps_transcripts:
            past.transcripts.clear()
        pool = ThreadPoolExecutor(recognizer.concurrency if recognizer else 1)
        try:
            yield from _facts(
                reader,
                projection,
                pins,
                past,
                _Ears(open_reader, past, recognizer, pool, PromptPolicy(config.speech)),
                Editor(config.redaction, load_scorers(config.sentiment.lexicons), past.started.product.value),
                on_progress,
            )
        finally:
            pool.shutdown(cancel_futures=True)  # who closes the iterator early does not wait for the rest


class _Ears:
    """Utterances → what was heard in them: known, being worked on, or nothing."""

    def __init__(
        self,
        open_reader: OpenReader,
        past: Past,
        recognizer: Recognizer | None,
        pool: ThreadPoolExecutor,
        prompts: PromptPolicy,
    ) -> None:
        self._open_reader = open_reader
        self._past = past
        self._recognizer = recognizer
        self._pool = pool
        self._prompts = prompts

    def listen(self, ids: tuple[str, str], spoken: Spoken) -> UtteranceHeard | Future[UtteranceHeard]:
        known = self._past.transcript(spoken.key, spoken.language)
        if known is not None:
            return known
        if self._recognizer is None:
            return not_heard_in(spoken, ids, "no recognizer")
        return self._pool.submit(self._recognize, self._recognizer, ids, spoken)

    def detect(self, unclear: Unclear) -> Probabilities:
        """How likely each language is; nothing without a recognizer."""
        if self._recognizer is None:
            return {}
        return detect(self._recognizer, [(unclear, self._open_reader)])[0]

    def _recognize(self, recognizer: Recognizer, ids: tuple[str, str], spoken: Spoken) -> UtteranceHeard:
        assert spoken.utterance.passage is not None
        try:
            with self._open_reader() as reader:
                samples = read_samples(reader, spoken.audio_format, spoken.utterance.passage)
            utterance = replace(spoken.utterance, samples=samples)
            return heard_in(
                spoken, ids, transcribe_one(recognizer, item_of(utterance, spoken, self._prompts))
            )
        except JournalError:
            return not_heard_in(spoken, ids, "its sound is lost")
        except RecognizerError:
            return not_heard_in(spoken, ids, "recognizer error")


def _facts(
    reader: JournalReader,
    projection: Projection,
    pins: Pins,
    past: Past,
    ears: _Ears,
    editor: Editor,
    on_progress: OnProgress,
) -> Iterator[Fact]:
    assert past.started is not None
    ids = past.started.engagement_id, past.started.stream_id
    total = reader.size_bytes
    stated = Stated(ids)
    waiting: deque[UtteranceHeard | Future[UtteranceHeard]] = deque()

    def told(outcomes: Iterable[Outcome]) -> Iterator[Fact]:
        todo = deque(outcomes)
        while todo:
            match outcome := todo.popleft():
                case Remark():
                    pass
                case StreamOpened() if outcome.resumed_at is not None:
                    pass  # only the last end is stated
                case Unclear():
                    todo.extend(pins.take_clue(outcome, ears.detect(outcome)))
                case Spoken():
                    stated.note_spoken(*outcome.key[:2])
                    result = ears.listen(ids, outcome)
                    if isinstance(result, UtteranceHeard) and past.holds(result):
                        editor.recall(result)
                    else:
                        editor.expect(outcome)
                    waiting.append(result)
                case UtteranceHeard() if not past.holds(outcome):
                    yield from editor.take(outcome)
                case _:
                    stated.note(outcome)
                    if isinstance(outcome, ParticipantSeen):
                        editor.note(outcome)
                    yield outcome

    for record in _to_the_end(reader, projection):
        yield from told(pins.take(projection.take(record)))
        on_progress(record.end, total)
    yield from told(pins.end())
    while waiting:  # in their order, so that a replay doubts a language where another one did
        result = waiting.popleft()
        yield from told(pins.take_heard(result.result() if isinstance(result, Future) else result))
    yield from editor.flush()
    yield stated.restated()
    yield projection.closed()
    on_progress(total, total)


def _to_the_end(reader: JournalReader, projection: Projection) -> Iterator[Record | Damage]:
    """What was received; a journal whose daemon never came to its end is given one."""
    end, arrived_ms = START, 0
    for record in reader.records(START, Kind.RECEIVED):
        end = record.end
        if isinstance(record, Record):
            arrived_ms = record.arrived_ms
        yield record
    if projection.ended is None:
        yield Record(
            end, end, Kind.RECEIVED, arrived_ms, [StreamEnded("daemon_down", "the journal ends here")]
        )
