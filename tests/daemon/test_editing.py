"""What was heard reaches the journal without what must not be stored, and with its times."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zccvoice.analytics.sentiment import load_scorers
from zccvoice.audio.frame import AudioFormat
from zccvoice.config import RedactionConfig
from zccvoice.daemon.editing import Editor
from zccvoice.daemon.outcome import Spoken
from zccvoice.speech.utterance import Utterance
from zccvoice.store.facts import ParticipantSeen, StoredWord, UtteranceHeard

SCORERS = load_scorers()


def heard(text: str | None, start_ms: int = 0) -> UtteranceHeard:
    words = [] if text is None else text.split()
    timed = tuple(StoredWord(word, at * 100, at * 100 + 90, 0.9) for at, word in enumerate(words))
    return UtteranceHeard("E", "S", "ch", start_ms, start_ms + 2000, -20.0, 0.0, text, timed, language="en")


def edit(*utterances: UtteranceHeard, editor: Editor | None = None) -> list[UtteranceHeard]:
    editor = editor or Editor(RedactionConfig(), SCORERS, "contact_center")
    out: list[UtteranceHeard] = []
    for one in utterances:
        editor.expect(spoken(one))
        out += editor.take(one)
    return out + editor.flush()


def spoken(one: UtteranceHeard) -> Spoken:
    sound = Utterance(
        one.channel_id, one.start_timestamp_ms, one.end_timestamp_ms, np.empty(0, np.int16), 0, -20.0, 0.0
    )
    return Spoken(sound, AudioFormat(), one.language or "en")


def test_a_card_number_never_gets_further() -> None:
    (edited,) = edit(heard("my card is 4111 1111 1111 1111 thanks"))
    assert edited.text == "my card is [card] thanks"
    assert [(word.text, word.start_ms, word.end_ms) for word in edited.words] == [
        ("my", 0, 90),
        ("card", 100, 190),
        ("is", 200, 290),
        ("[card]", 300, 690),  # the mask takes the time of what it stands for
        ("thanks", 700, 790),
    ]


def test_a_number_over_two_utterances() -> None:
    first, second = edit(heard("it is 4111 1111"), heard("1111 1111 okay", 4000))
    assert (first.text, second.text) == ("it is [card]", "[card] okay")
    assert [word.text for word in second.words] == ["[card]", "okay"]
    assert second.words[0].end_ms == 190


@pytest.mark.parametrize("refused_text", [None, "Thank you for watching this video"])
def test_a_number_over_a_breath_that_was_refused(refused_text: str | None) -> None:
    breath = replace(heard(None, 2500), verdict="refused: no voice", refused_text=refused_text)
    first, between, last = sorted(
        edit(heard("it is 4111 1111"), breath, heard("1111 1111 okay", 5000)),
        key=lambda one: one.start_timestamp_ms,
    )
    assert (first.text, last.text) == ("it is [card]", "[card] okay")
    assert between == breath


def test_a_number_over_a_breath_that_is_in_the_journal_already() -> None:
    editor = Editor(RedactionConfig(), SCORERS, "contact_center")
    noise = "Thank you for watching this video"
    editor.recall(replace(heard(None, 2500), verdict="refused: repeated", refused_text=noise))
    edited = edit(heard("it is 4111 1111"), heard("1111 1111 okay", 5000), editor=editor)
    assert [one.text for one in edited] == ["it is [card]", "[card] okay"]


def test_what_was_not_understood_passes() -> None:
    nothing = heard(None)
    assert edit(nothing) == [nothing]


def test_text_without_finds_is_left_as_it_is() -> None:
    assert edit(heard("two  spaces"))[0].text == "two  spaces"


def test_a_queue_may_have_rules_of_its_own() -> None:
    rules = {
        "masks": {"card": "***"},
        "exceptions": [
            {"queues": ["Support"], "classes": ["email"]},
            {"products": ["meeting"], "classes": ["name"]},
        ],
    }
    settings = RedactionConfig.model_validate(rules)
    card = heard("card 4111 1111 1111 1111 thanks")
    assert edit(card, editor=Editor(settings, SCORERS, "contact_center"))[0].text == "card *** thanks"
    of_queue = Editor(settings, SCORERS, "contact_center")
    of_queue.note(ParticipantSeen("E", "S", "ch", queue_name="SUPPORT"))
    assert edit(card, editor=of_queue)[0].text == card.text
    of_meeting = Editor(settings, SCORERS, "meeting")
    of_meeting.note(ParticipantSeen("E", "S", "ch", display_name="Ana Ruiz"))
    told = heard("thanks Ana, my name is Jane Doe and I am late")
    assert edit(told, editor=of_meeting)[0].text == "thanks [name], my name is [name] and I am late"


def test_what_people_say_is_not_in_the_repr_of_a_fact() -> None:
    assert "secret" not in repr(heard("secret word"))


def test_what_is_left_is_rated() -> None:
    assert edit(heard("that is terrible, my card 4111 1111 1111 1111 was charged"))[
        0
    ].sentiment == pytest.approx(-0.9 / 1.81**0.5)
    assert edit(heard("one two three"))[0].sentiment == 0
    assert edit(heard(None))[0].sentiment is None
    assert edit(replace(heard("terrible"), language="fr"))[0].sentiment is None


def test_what_is_held_back_may_be_heard_again_in_another_language() -> None:
    editor = Editor(RedactionConfig(), SCORERS, "contact_center")
    first, again = heard("it is 4111 1111"), replace(heard("es el número 4111 1111"), language="es")
    editor.expect(spoken(first))
    assert editor.take(first) == []
    editor.expect(spoken(again))
    assert editor.take(again) == []
    assert [(one.text, one.language) for one in editor.flush()] == [("es el número 4111 1111", "es")]


def test_a_number_that_was_stored_may_be_heard_again_in_another_language() -> None:
    editor = Editor(RedactionConfig(), SCORERS, "contact_center")
    first, second = heard("it is 4111 1111"), heard("1111 1111 thanks", 4000)
    for one in (first, second):
        editor.expect(spoken(one))
    editor.take(first)
    assert len(editor.take(second)) == 2
    for one in (first, second):
        editor.expect(spoken(one))
    assert editor.take(first) == []
    assert [one.text for one in editor.take(second)] == ["it is [card]", "[card] thanks"]


def test_a_question_that_is_in_the_journal_already_still_counts() -> None:
    editor = Editor(RedactionConfig(), SCORERS, "contact_center")
    question, answer = heard("and the security code please"), heard("it's 1 2 3 thanks", 4000)
    editor.recall(question)
    editor.expect(spoken(answer))
    assert [one.text for one in editor.take(answer)] == ["it's [security_code] thanks"]
