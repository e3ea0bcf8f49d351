"""Every exception zccvoice raises on purpose, grouped by whose fault it is.

Messages say what was expected and what came. They never hold secrets or transcript text.
"""


class ZccvoiceError(Exception):
    """Base of everything raised on purpose; the command line prints its text and no traceback."""


class ConfigError(ZccvoiceError):
    """The operator's settings are wrong. Carries every problem found, not only the first."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
        """One line per problem, each naming the field."""


class ProtocolError(ZccvoiceError):
    """The RTMS conversation broke its rules; see the two subclasses for by whom."""


class RemoteProtocolError(ProtocolError):
    """Zoom (or whoever spoke to us) sent something that the protocol does not allow."""


class LocalProtocolError(ProtocolError):
    """We asked a protocol core for something that is not legal in its state: a defect of ours."""


class HandshakeRefusedError(RemoteProtocolError):
    """Zoom answered a handshake with a status other than OK."""

    def __init__(self, which: str, status_code: int, reason: str) -> None:
        super().__init__(f"{which} handshake refused: status {status_code} ({reason or 'no reason given'})")
        self.which = which
        """``signaling`` or ``media``."""
        self.status_code = status_code
        """RTMS_STATUS_CODE as received (two incompatible tables exist, read `reason` first)."""
        self.reason = reason
        """Zoom's text, may be empty."""


class ForbiddenHostError(ZccvoiceError):
    """A server URL points at a host that the operator did not allow."""


class DecodeError(ZccvoiceError):
    """A media payload cannot be the audio it was announced as."""


class RecognizerError(ZccvoiceError):
    """The speech recognizer could not be loaded or failed on an utterance."""


class StoreError(ZccvoiceError):
    """The database cannot be reached, or refused what we asked of it."""


class LegalHoldError(StoreError):
    """What is to be deleted must not be: the text names the hold."""


class SchemaNotCurrentError(StoreError):
    """The database's schema is not the one this version of the program was written for."""


class SchemaMissingError(SchemaNotCurrentError):
    """The database has no tables of ours at all."""


class ScenarioError(ZccvoiceError):
    """A simulator scenario does not make sense; the message names the file and the entry."""


class ConnectionFailedError(ZccvoiceError):
    """A server of Zoom's could not be reached, did not answer in time, or hung up in the handshake."""


class ApiRefusedError(ZccvoiceError):
    """Zoom's REST API answered, and did not do what was asked. The text says why, and what to do."""

    def __init__(self, text: str, status: int, code: int | None) -> None:
        super().__init__(text)
        self.status = status
        """Of HTTP."""
        self.code = code
        """Zoom's, if the body held one."""


class DoorError(ZccvoiceError):
    """The HTTP endpoint cannot be opened."""


class JournalError(ZccvoiceError):
    """A journal cannot be read or written as it should."""


class JournalUnavailableError(JournalError):
    """The system does not let a journal be opened or read, for want of handles or of a disk: to be tried again."""


class JournalFullError(JournalError):
    """There is no room on the disk for what is to be kept; it may be tried again."""


class KeyMissingError(JournalError):
    """The key of a journal is not to be had: shredded, or wrapped by another master key."""


class RecordingError(ZccvoiceError):
    """A sound file cannot be read as a call; the message begins with its name."""


class SoundGoneError(ZccvoiceError):
    """The sound that is asked for was deleted, or never was there."""
