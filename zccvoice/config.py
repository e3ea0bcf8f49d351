"""Every setting of the program: one frozen section per concern, documented under each field.

Values come from, in rising priority: the defaults here, a TOML file, environment variables
(``ZCCVOICE_<SECTION>__<FIELD>``, for example ``ZCCVOICE_ZOOM__CLIENT_SECRET``), arguments. All problems are
reported at once, each with its field. Secrets never show in ``repr``, logs or error texts.
"""

from __future__ import annotations

import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self, cast
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from zccvoice.errors import ConfigError, ForbiddenHostError


class _Section(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _read_secret_files(cls, values: Any) -> Any:
        """``<secret>_file = "path"`` reads the secret from a file (its last line break is dropped)."""
        if not isinstance(values, dict):
            return values
        values = dict(values)
        for name, field in cls.model_fields.items():
            path = values.pop(f"{name}_file", None) if SecretStr in _types_of(field.annotation) else None
            if path is not None and not values.get(name):
                try:
                    values[name] = Path(path).read_text(encoding="utf-8").rstrip("\n")
                except OSError as error:
                    raise ValueError(f"{name}_file: cannot read {path}: {error.strerror}") from None
        return values


def _types_of(annotation: Any) -> tuple[Any, ...]:
    return (annotation, *getattr(annotation, "__args__", ()))


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


Language = Annotated[str, BeforeValidator(_lower), Field(pattern=r"^[a-z]{2,3}$")]


class DoorConfig(_Section):
    """The HTTP endpoint that Zoom's webhooks reach."""

    host: str = "127.0.0.1"
    """Address to listen on. Put a TLS-terminating proxy in front and keep this on loopback."""
    port: int = Field(default=8080, ge=0, le=65535)
    """TCP port; 0 lets the system choose one (it is logged)."""
    path: str = Field(default="/zoom/webhook", pattern=r"^/")
    """Path of the event notification endpoint given to Zoom."""
    secret_token: SecretStr = SecretStr("")
    """Secret token of the Zoom app, which signs webhooks. Required."""
    max_body_bytes: int = Field(default=1_048_576, ge=1_024, le=16_777_216)
    """Larger requests are answered 413."""


class ZoomConfig(_Section):
    """The Zoom app, and what we ask of its streams."""

    client_id: str = ""
    """Client id of the Zoom app. Required."""
    client_secret: SecretStr = SecretStr("")
    """Client secret of the Zoom app, which signs the handshakes. Required."""
    allowed_hosts: tuple[str, ...] = ("*.zoom.us", "*.zoom.com", "*.zoomgov.com")
    """Hosts we connect to: exact names, or ``*.domain`` for everything below it. Unencrypted ``ws://`` is
    accepted only for loopback addresses that are listed here."""
    send_rate_ms: int = Field(default=100, ge=20, le=1000, multiple_of=20)
    """Milliseconds of audio per message that we ask Zoom for."""
    handshake_timeout_s: float = Field(default=10, gt=0, le=60)
    """How long connecting plus handshake may take, for each connection."""
    silence_timeout_s: float = Field(default=65, ge=10, le=600)
    """A connection on which nothing at all arrived for so long is taken for dead."""

    def allow(self, url: str) -> None:
        """Check a server URL from Zoom against ``allowed_hosts``.

        Raises:
            ForbiddenHostError: wrong scheme, or a host that is not allowed.
        """
        try:
            parts = urlsplit(url)
            host, _ = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            raise ForbiddenHostError("server URL is not a URL") from None
        if parts.scheme not in ("wss", "ws") or not host or parts.username is not None:
            raise ForbiddenHostError(f"expected a wss:// URL without user name, got scheme {parts.scheme!r}")
        if not any(_matches(host, pattern.lower()) for pattern in self.allowed_hosts):
            raise ForbiddenHostError(f"host {host!r} is not in zoom.allowed_hosts")
        if parts.scheme == "ws" and not _is_loopback(host):
            raise ForbiddenHostError(f"unencrypted ws:// is only for loopback addresses, not {host!r}")


def _matches(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class VadConfig(_Section):
    """Voice activity detection and endpointing. The defaults were found with ``zccvoice bench vad``."""

    detector: Literal["both", "webrtc", "silero"] = "both"
    """``both``: WebRTC's detector finds utterances, and Silero settles those that sound like music, tones or
    noise. ``webrtc``: without Silero, for a third of the cost on noisy lines; music and tones are still taken
    out. ``silero``: Silero alone hears every frame, at some ten times the cost."""
    aggressiveness: int = Field(default=2, ge=0, le=3)
    """WebRTC VAD mode: 0 keeps most, 3 drops most."""
    energy_margin_db: float = Field(default=5, ge=0, le=30)
    """A frame counts as speech only when it is this much louder than the line's noise."""
    quietest_dbfs: float = Field(default=-55, ge=-90, le=-20)
    """A frame below this level is no speech, whatever the line's noise (a full-scale sine is −3)."""
    steadiness: float = Field(default=0.62, ge=0.3, le=1)
    """Sound whose partials keep their place so well for half a second is music or a tone: voices stay below
    0.6 nearly always, hold music mostly above 0.62. 1 takes nothing for music."""
    doubtful_s: int = Field(default=15, ge=5, le=28)
    """``both``: speech that goes on for so long without a pause is doubtful, and looked at before it has ended."""
    silero_enter: float = Field(default=0.3, ge=0.05, le=0.95)
    """Silero's probability with which speech begins. Its authors' 0.5 loses telephone speech."""
    silero_leave: float = Field(default=0.2, ge=0.05, le=0.95)
    """And below which it ends."""
    shortest_ms: int = Field(default=120, ge=0, le=1000)
    """Shorter speech is taken for a click."""
    onset_frames: int = Field(default=4, ge=1, le=6)
    """Speech frames, among the last six of 20 ms, that begin an utterance."""
    hangover_ms: int = Field(default=500, ge=100, le=3000, multiple_of=20)
    """Silence that ends an utterance."""
    padding_ms: int = Field(default=240, ge=0, le=1000, multiple_of=20)
    """Sound kept before and after the speech for the recognizer."""
    longest_s: int = Field(default=28, ge=5, le=28)
    """A longer utterance is cut at its quietest place in its last third; with padding it fits the
    recognizer's window of 30 s."""


class SpeechConfig(_Section):
    """The recognizer."""

    model: str = "demo"
    """``demo`` (the weights shipped with the program, for synthetic voices), a faster-whisper model name such
    as ``small``, or a folder with a CTranslate2 Whisper model."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where it runs."""
    compute_type: str = "default"
    """CTranslate2 compute type: ``default`` (as stored), ``int8``, ``float16``, …"""
    workers: int = Field(default=0, ge=0, le=64)
    """Utterances recognized at the same time; 0 is one per CPU core."""
    beam_size: int = Field(default=5, ge=1, le=10)
    """Beams of the decoder; 1 is greedy and about twice as fast."""
    backlog: int = Field(default=10_000, ge=1, le=1_000_000)
    """Utterances that may wait for the recognizer, about 1 kB each: their sound is in the journal. When full,
    what is received goes on being written to the journals and is looked at later; nothing is dropped."""
    vad: VadConfig = VadConfig()
    """How utterances are cut."""


class LanguageConfig(_Section):
    """Which language a call is pinned to."""

    default: Language = "en"
    """Whisper code for calls that no rule below matches."""
    queues: dict[str, Language] = {}
    """Whisper code by queue id or queue name; compared without regard to case."""


class DatabaseConfig(_Section):
    """Where the measures are kept."""

    url: SecretStr | None = None
    """SQLAlchemy URL, ``postgresql://user:password@host/database``. Without one the daemon runs a private
    Postgres of its own in ``data.folder``."""
    connections: int = Field(default=4, ge=1, le=64)
    """Most connections at once."""


class DataConfig(_Section):
    """The daemon's own files."""

    folder: Path = Path("var/zccvoice")
    """Holds the journals, their keys and the private Postgres. Relative paths count from the working folder."""


class JournalConfig(_Section):
    """What every stream received and what was made of it, on disk before anything else is done with it."""

    master_key: SecretStr | None = None
    """Wraps the keys of the journals: a secret text, such as 32 random bytes in base64. Without one the daemon
    makes its own, ``master.key`` in ``data.folder``: put that file, or better this setting, on another disk
    than the journals. Journals can be read only with the key they were written under."""
    sync: bool = True
    """Whether what is written is forced onto the disk, so that it survives a loss of power. Webhooks are forced
    before they are answered, streams every ``sync_every_s``; a crash of the program alone costs neither."""
    sync_every_s: float = Field(default=1.0, ge=0, le=60)
    """Seconds between forcing a stream's journal onto the disk: what a loss of power may cost."""
    budget_gib: float = Field(default=0, ge=0, le=1_000_000)
    """Most room for journals; beyond it those that are wholly in the database are deleted, the oldest first.
    0 is no limit. An hour of a call with two sides takes 0.22 GiB."""


class PrivacyConfig(_Section):
    """What is kept of people."""

    phone_numbers: Literal["hash", "none"] = "hash"
    """``hash``: a keyed hash, to find a customer's calls again, and the last four digits. ``none``: nothing."""


class RetentionConfig(_Section):
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


class LogConfig(_Section):
    """The log, on standard error."""

    format: Literal["logfmt", "json"] = "logfmt"
    """``key=value`` pairs or one JSON object per line."""
    level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"
    """The least level that is written."""


class ShutdownConfig(_Section):
    """What SIGTERM waits for."""

    drain_s: float = Field(default=30, ge=0, le=3600)
    """Most seconds for open utterances to be recognized and stored after SIGTERM."""


class Config(BaseSettings):
    """All sections."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_prefix="ZCCVOICE_",
        env_nested_delimiter="__",
        use_attribute_docstrings=True,
        hide_input_in_errors=True,
    )

    door: DoorConfig = DoorConfig()
    zoom: ZoomConfig = ZoomConfig()
    speech: SpeechConfig = SpeechConfig()
    language: LanguageConfig = LanguageConfig()
    database: DatabaseConfig = DatabaseConfig()
    data: DataConfig = DataConfig()
    journal: JournalConfig = JournalConfig()
    privacy: PrivacyConfig = PrivacyConfig()
    retention: RetentionConfig = RetentionConfig()
    log: LogConfig = LogConfig()
    shutdown: ShutdownConfig = ShutdownConfig()

    def missing_for_serve(self) -> list[str]:
        """What the daemon cannot do without: one line per field."""
        required = {
            "door.secret_token": self.door.secret_token.get_secret_value(),
            "zoom.client_id": self.zoom.client_id,
            "zoom.client_secret": self.zoom.client_secret.get_secret_value(),
        }
        return [
            f"{field}: required; set it in the file or as ZCCVOICE_{field.upper().replace('.', '__')}"
            for field, value in required.items()
            if not value
        ]


def load(path: Path | None = None, **arguments: dict[str, Any]) -> Config:
    """Read the settings.

    Args:
        path: a TOML file, or None for defaults and environment alone.
        arguments: sections with the fields that were given on the command line; they win over everything.

    Raises:
        ConfigError: the file cannot be read, or values are wrong; carries all problems.
    """
    in_file: dict[str, Any] = {}
    if path is not None:
        try:
            in_file = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError([f"{path}: cannot be read: {error}"]) from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([f"{path}: not TOML: {error}"]) from None

    class ConfigWithFile(Config):
        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return init_settings, env_settings, InitSettingsSource(settings_cls, init_kwargs=in_file)

    try:
        return ConfigWithFile(**cast("Any", arguments))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False)
        raise ConfigError([_problem(one) for one in problems]) from None


def _problem(error: Any) -> str:
    where = ".".join(str(part) for part in error["loc"]) or "settings"
    if error["type"] == "extra_forbidden":
        return f"{where}: no such setting"
    return f"{where}: {error['msg']}"
