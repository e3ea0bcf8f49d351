"""Which language a call is transcribed in, and what the recognizer is not believed."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from zccvoice.config.section import Section

DETECT = "detect"
"""Stands where a language could: find out which of ``language.among`` it is."""


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


Language = Annotated[str, BeforeValidator(_lower), Field(pattern=r"^[a-z]{2,3}$")]
"""A Whisper code."""
Choice = Annotated[str, BeforeValidator(_lower), Field(pattern=rf"^({DETECT}|[a-z]{{2,3}})$")]
"""A Whisper code, or ``detect``."""
Product = Literal["contact_center", "meeting", "webinar", "video_sdk", "phone", "recording"]


class LanguageConfig(Section):
    """Which language a call is pinned to. The first rule that matches decides: queue, agent, account, product.

    A language is a Whisper code such as ``es``, or ``detect``: then it is found out from the first seconds of
    speech, and nothing is transcribed before.
    """

    default: Choice = "en"
    """For calls that no rule below matches."""
    queues: dict[str, Choice] = Field(default_factory=dict)
    """By queue id or queue name; compared without regard to case."""
    agents: dict[str, Choice] = Field(default_factory=dict)
    """By the agent's user id or name; compared without regard to case. It is the first agent who counts."""
    accounts: dict[str, Choice] = Field(default_factory=dict)
    """By Zoom account id."""
    products: dict[Product, Choice] = Field(default_factory=dict)
    """By Zoom product."""
    among: tuple[Language, ...] = ()
    """``detect``: the languages that it can be, two at least."""
    fallback: Language | None = None
    """``detect``: when nothing speaks for any of them, in ``most_voiced_s`` or at all; else the first of them."""
    per: Literal["call", "side"] = "call"
    """``detect``: one language for the whole call, or one for each participant."""
    from_zoom: bool = True
    """``detect``: believe the language that Zoom tells with its own transcripts, where they are asked for."""
    voiced_s: float = Field(default=3.0, ge=1, le=30)
    """``detect``: least seconds of speech that decide."""
    most_voiced_s: float = Field(default=15.0, ge=1, le=120)
    """``detect``: seconds of speech after which it is decided, however doubtful it is."""
    certain: float = Field(default=0.8, ge=0.5, le=1)
    """``detect``: confidence that is waited for, up to ``most_voiced_s``, and with which a pin is changed."""
    poor_in_a_row: int = Field(default=3, ge=2, le=20)
    """``detect``: a pin is examined again after so many utterances in a row that were poorly understood."""
    poor_log_probability: float = Field(default=-1.0, ge=-5, le=0)
    """``detect``: poorly understood is what was refused, and what has tokens of a lower mean log probability."""

    @model_validator(mode="after")
    def _knows_what_to_detect(self) -> Self:
        if DETECT in self._choices and len(set(self.among)) < 2:
            raise ValueError(f"among: expected two languages at least, got {len(set(self.among))}")
        if self.fallback is not None and self.among and self.fallback not in self.among:
            raise ValueError(
                f"fallback: expected one of among ({', '.join(self.among)}), got {self.fallback}"
            )
        if self.most_voiced_s < self.voiced_s:
            raise ValueError(
                f"most_voiced_s: expected at least voiced_s ({self.voiced_s:g}), got {self.most_voiced_s:g}"
            )
        return self

    @property
    def _choices(self) -> frozenset[str]:
        rules = self.queues.values(), self.agents.values(), self.accounts.values(), self.products.values()
        return frozenset({self.default}.union(*rules))

    @property
    def languages(self) -> frozenset[str]:
        """Every language that a call may be pinned to."""
        detectable = self.among if DETECT in self._choices else ()
        return (self._choices - {DETECT}).union(detectable)


class GuardConfig(Section):
    """What the recognizer says and is not believed: kept with its reason, and never counted as words.

    What is doubtful is decoded once more, in a full window and at a temperature, before it is refused.
    """

    quietest_dbfs: float = Field(default=-45.0, ge=-90, le=-20)
    """An utterance below this level is not given to the recognizer: it is the other side, heard through, or
    nobody. (Quiet talkers are at −40.)"""
    least_voice: float = Field(default=0.3, ge=0, le=1)
    """Nor is one in which no moment is so likely a voice, by Silero. 0 lets every one pass."""
    no_speech: float = Field(default=0.6, ge=0, le=1)
    """The recognizer itself says that nobody speaks, with this probability, and is unsure of its text, too..."""
    surely_no_speech: float = Field(default=0.8, ge=0, le=1)
    """... or with this one, whatever it thinks of its text."""
    unsure_log_probability: float = Field(default=-1.0, ge=-5, le=0)
    """Mean log probability of the tokens below which the recognizer is unsure of its text."""
    least_log_probability: float = Field(default=-1.5, ge=-5, le=0)
    """And below which it is guessing."""
    most_tokens_per_s: float = Field(default=12.0, ge=3, le=50)
    """Nobody speaks faster, beside the few tokens that any utterance has."""
    most_compression: float = Field(default=2.4, ge=1, le=20)
    """Text that compresses better repeats itself."""
    repeats: int = Field(default=4, ge=2, le=50)
    """Nobody says the same words, up to six, so often in a row..."""
    repeated_words: int = Field(default=8, ge=2, le=100)
    """... when it is so many words in all: \"no, no, no, no\" is said."""
    echoed_words: int = Field(default=4, ge=2, le=50)
    """So many words as they stand in the prompt are its echo, fewer only with other evidence."""
    faint_voice: float = Field(default=0.4, ge=0, le=1)
    """A likely invention (``speech/phrases.toml``) is refused when the likelihood of a voice is lower, the
    recognizer is unsure or says that nobody speaks, or the speech is too short for it."""
    most_words_per_s: float = Field(default=4.0, ge=2, le=20)
    """Speech too short for its words has more, beside the first one."""
    temperature: float = Field(default=0.4, ge=0, le=1)
    """Of the second decoding."""

    @model_validator(mode="after")
    def _grows_stricter(self) -> Self:
        if self.surely_no_speech < self.no_speech:
            raise ValueError(
                f"surely_no_speech: expected at least no_speech ({self.no_speech:g}), "
                f"got {self.surely_no_speech:g}"
            )
        if self.least_log_probability > self.unsure_log_probability:
            raise ValueError(
                "least_log_probability: expected at most unsure_log_probability "
                f"({self.unsure_log_probability:g}), got {self.least_log_probability:g}"
            )
        return self
