"""The form of an explanation's text."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Whose(StrEnum):
    """Whose doing something is."""

    PEOPLE = "the people on the call"
    ADMINISTRATOR = "the administrator of the Zoom account"
    ZOOM = "Zoom"
    NETWORK = "the network between Zoom and this machine"
    SETTINGS = "the settings of this program or of its Zoom app"
    RECORDING = "whoever made the recording"
    US = "this program or its machine"


@dataclass(frozen=True, slots=True)
class Text:
    """Plain words, in whole sentences."""

    happened: str
    whose: Whose
    advice: str
