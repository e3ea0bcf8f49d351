"""Every setting of the program: one frozen section per concern, documented under each field.

Values come from, in rising priority: the defaults here, the names that Zoom's SDK and samples use in the
environment (`sources.ZOOM_NAMES`), a TOML file, environment variables of ours (``ZCCVOICE_<SECTION>__<FIELD>``,
for example ``ZCCVOICE_ZOOM__CLIENT_SECRET``), arguments. A secret's file (``client_secret_file``) ranks as the
source that names it. All problems are reported at once, each with its field. Secrets never show in ``repr``, logs
or error texts.

`section` what a section is · `zoom` the sections on Zoom: the door, the apps · `language` languages, and what the
recognizer is not believed · `speech` how utterances are cut and recognized · `remote` recognition servers ·
`redaction` what is not stored · `rules` the one on rules and where hits go · `hosts` whom we connect to ·
`sources` files and environment · `problems` what is wrong, in words.
"""

from __future__ import annotations

import os
from functools import reduce
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, field_validator, model_validator

from zccvoice.config import problems, sources
from zccvoice.config.language import GuardConfig, LanguageConfig
from zccvoice.config.redaction import RedactionConfig
from zccvoice.config.remote import RecognizerServerConfig, RemoteConfig
from zccvoice.config.rules import RulesConfig
from zccvoice.config.section import SHORTEST_KEY, Secret, Section
from zccvoice.config.speech import PromptConfig, SpeechConfig, VadConfig
from zccvoice.config.zoom import AppCredentials, DoorConfig, ZoomConfig
from zccvoice.errors import ConfigError

__all__ = [  # what other folders import from here
    "AppCredentials",
    "Config",
    "DataConfig",
    "DatabaseConfig",
    "DoorConfig",
    "GuardConfig",
    "JournalConfig",
    "LanguageConfig",
    "LogConfig",
    "MeasuresConfig",
    "PrivacyConfig",
    "PromptConfig",
    "RecognizerServerConfig",
    "RedactionConfig",
    "RemoteConfig",
    "RetentionConfig",
    "RulesConfig",
    "SentimentConfig",
    "ShutdownConfig",
    "SpeechConfig",
    "VadConfig",
    "ZoomConfig",
    "load",
]


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class DatabaseConfig(Section):
    """Where the measures are kept."""

    url: Secret | None = None
    """SQLAlchemy URL, ``postgresql://user:password@host/database``. Without one the daemon runs a private
    Postgres of its own in ``data.folder``."""
    connections: int = Field(default=4, ge=1, le=64)
    """Most connections at once."""


class DataConfig(Section):
    """The daemon's own files."""

    folder: Path = Path("var/zccvoice")
    """Holds the journals, their keys and the private Postgres. Relative paths count from the working folder."""


class JournalConfig(Section):
    """What every stream received and what was made of it, on disk before anything else is done with it."""

    master_key: Secret | None = None
    """Wraps the keys of the journals: a secret text of 16 characters or more, such as 32 random bytes in base64.
    Without one the daemon makes its own, ``master.key`` in ``data.folder``: put that file, or better this setting,
    on another disk than the journals. Journals can be read only with the key they were written under."""
    sync: bool = True
    """Whether what is written is forced onto the disk, so that it survives a loss of power. Webhooks are forced
    before they are answered, streams every ``sync_every_s``; a crash of the program alone costs neither."""
    sync_every_s: float = Field(default=1.0, ge=0, le=60)
    """Seconds between forcing a stream's journal onto the disk: what a loss of power may cost."""
    budget_gib: float = Field(default=0, ge=0, le=1_000_000)
    """Most room for journals; beyond it those that are wholly in the database are deleted, the oldest first.
    0 is no limit. An hour of a call with two sides takes 0.22 GiB."""

    @field_validator("master_key")
    @classmethod
    def _cannot_be_guessed(cls, key: Secret | None) -> Secret | None:
        """A variable that is set to nothing, or a file that `touch` made, would lock with no key at all."""
        if key is not None and len(key.get_secret_value()) < SHORTEST_KEY:
            raise ValueError(f"expected at least {SHORTEST_KEY} characters, or no such setting at all")
        return key


class PrivacyConfig(Section):
    """What is kept of people."""

    phone_numbers: Literal["hash", "none"] = "hash"
    """``hash``: a keyed hash, to find a customer's calls again, and the last four digits. ``none``: nothing."""


class RetentionConfig(Section):
    """How long what is kept of calls stays. A legal hold (``zccvoice db hold``) keeps a call longer."""

    sound_days: int = Field(default=0, ge=0, le=36_500)
    """Days after its end for which a call's journal is kept, and with it the sound. 0 is for ever."""
    transcripts_days: int = Field(default=0, ge=0, le=36_500)
    """Days for which utterances, with their text and words, and stretches of speech are kept, counted from the
    end of the call's month: they go by whole months. 0 is for ever."""
    calls_days: int = Field(default=0, ge=0, le=36_500)
    """Days for which anything at all of a call is kept, its measures too. 0 is for ever; otherwise sound and
    transcripts have to go no later."""

    @model_validator(mode="after")
    def _nothing_outlives_its_call(self) -> Self:
        """Without its rows nobody would find the sound of a customer who asks for erasure."""
        for name in ("sound_days", "transcripts_days"):
            days: int = getattr(self, name)
            if self.calls_days and not 0 < days <= self.calls_days:
                raise ValueError(f"{name}: expected 1 to calls_days ({self.calls_days}), got {days}")
        return self


class SentimentConfig(Section):
    """How people feel, as far as their words tell."""

    lexicons: Path | None = None
    """A folder of lexicons, ``<Whisper code>.txt``, in the place of those shipped (English, Spanish, German) or
    beside them. `zccvoice.analytics.sentiment.lexicon` describes the format."""


class MeasuresConfig(Section):
    """How calls are measured: from a change on, and with ``zccvoice recompute`` stored ones too."""

    agents: tuple[str, ...] = ()
    """Who is the agent in meetings, webinars and Video SDK sessions: user ids or names as Zoom shows them,
    compared without regard to case. Where one of them takes part everybody else is a customer."""
    thresholds: dict[str, float] = Field(default_factory=dict)
    """Thresholds of the measures that are not the shipped ones, such as ``silence_above_ms = 5000``."""


class LogConfig(Section):
    """The log, on standard error."""

    format: Literal["logfmt", "json"] = "logfmt"
    """``key=value`` pairs or one JSON object per line."""
    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    """The least level that is written."""


class ShutdownConfig(Section):
    """What SIGTERM waits for."""

    drain_s: float = Field(default=30, ge=0, le=3600)
    """Most seconds for open utterances to be recognized and stored after SIGTERM."""


class Config(Section):
    """All sections."""

    door: DoorConfig = DoorConfig()
    zoom: ZoomConfig = ZoomConfig()
    speech: SpeechConfig = SpeechConfig()
    recognizer: RecognizerServerConfig = RecognizerServerConfig()
    language: LanguageConfig = LanguageConfig()
    database: DatabaseConfig = DatabaseConfig()
    data: DataConfig = DataConfig()
    journal: JournalConfig = JournalConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    redaction: RedactionConfig = RedactionConfig()
    sentiment: SentimentConfig = SentimentConfig()
    retention: RetentionConfig = RetentionConfig()
    rules: RulesConfig = RulesConfig()
    measures: MeasuresConfig = MeasuresConfig()
    log: LogConfig = LogConfig()
    shutdown: ShutdownConfig = ShutdownConfig()

    @property
    def signing_apps(self) -> tuple[AppCredentials, ...]:
        """Every app with the secret token that signs its webhooks."""
        return tuple(
            app
            if app.secret_token.get_secret_value()
            else app.model_copy(update={"secret_token": self.door.secret_token})
            for app in self.zoom.all_apps
        )

    def missing_for_serve(self) -> list[str]:
        """What the daemon cannot do without, and what cannot be meant: one line per field."""
        has_apps = bool(self.zoom.apps)
        has_id, has_secret = bool(self.zoom.client_id), bool(self.zoom.client_secret.get_secret_value())
        needs_token = not has_apps or has_id or any(not _has_token(app) for app in self.zoom.apps)
        missing = {
            "door.secret_token": needs_token and not self.door.secret_token.get_secret_value(),
            "zoom.client_id": not has_id and (has_secret or not has_apps),
            "zoom.client_secret": not has_secret and (has_id or not has_apps),
        }
        found = [
            f"{field}: required; set it in the file or as ZCCVOICE_{field.upper().replace('.', '__')}"
            for field, is_missing in missing.items()
            if is_missing
        ]
        ids = [*(app.client_id for app in self.zoom.apps), self.zoom.client_id]
        twice = [number for number, one in enumerate(ids[:-1]) if one in ids[number + 1 :]]
        return found + [f"zoom.apps.{number}.client_id: another app has the same" for number in twice]


def _has_token(app: AppCredentials) -> bool:
    return bool(app.secret_token.get_secret_value())


def load(path: Path | None = None, /, **arguments: Any) -> Config:
    """Read the settings.

    Args:
        path: a TOML file, or None for defaults and environment alone.
        arguments: sections with the fields that were given on the command line; they win over everything.

    Raises:
        ConfigError: the file cannot be read, or values are wrong; carries all problems.
    """
    trees = [sources.under_zooms_names(os.environ), sources.in_file(path) if path is not None else {}]
    in_environment, found = sources.under_our_names(os.environ, Config.model_fields)
    tree = sources.with_video_sdk(reduce(sources.merge, [*trees, in_environment, arguments]), os.environ)
    try:
        config = Config.model_validate(tree)
    except ValidationError as error:
        found += [problems.told(Config, one) for one in error.errors(include_url=False)]
    if found:
        raise ConfigError(found)
    return config
