"""The sound of a call's page, for ``zccvoice report call --sound``."""

from __future__ import annotations

import getpass
import io
from pathlib import Path

from zccvoice.cli import settings
from zccvoice.config import Config
from zccvoice.daemon import log
from zccvoice.recordings.call_sound import MIX, channels_of, require_sound, sides_of
from zccvoice.recordings.sound_writer import write_sound
from zccvoice.reports.private_file import private_file
from zccvoice.reports.sound import LONGEST_WITHIN_BYTES, PageSound, sound_beside, sound_within
from zccvoice.store.sound import CallSound

_SOUND = ".ogg"


def sound_of_page(engagement_id: str, sound: CallSound, config: Config, page: Path) -> PageSound:
    """A call's sound for its page, within it or in a file beside it.

    The agent's side is left and the customer's right; all are one where nobody told whose legs they are.

    Raises:
        SoundGoneError: it is not there, or not whole.
    """
    has_sides = all(leg.side is not None for leg in sound.legs)
    sides = sides_of(engagement_id, sound, None if has_sides else MIX)
    shelf = settings.shelf(config)
    require_sound(shelf, engagement_id, [leg for side in sides for leg in side])
    encoded = io.BytesIO()
    write_sound(encoded, _SOUND, channels_of(shelf, sound, sides), len(sides))
    if encoded.getbuffer().nbytes <= LONGEST_WITHIN_BYTES:
        return sound_within(encoded.getvalue(), has_sides=has_sides)
    beside = page.with_suffix(_SOUND)
    with private_file(beside) as file:
        file.write(encoded.getbuffer())
    return sound_beside(beside.name, has_sides=has_sides)


def note_export(engagement_id: str, config: Config, page: Path) -> None:
    """The log notes who took sound out of the house's stores."""
    log.configure(config.log)
    log.get_logger().info(
        "audio exported", engagement_id=engagement_id, by=getpass.getuser(), file=str(page.absolute())
    )
