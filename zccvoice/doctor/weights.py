"""Can the speech model be loaded, and does it know the languages of the queues? Blocking."""

from __future__ import annotations

from zccvoice.config import Config
from zccvoice.doctor.finding import Finding, Verdict
from zccvoice.errors import RecognizerError
from zccvoice.speech.language import LanguagePolicy
from zccvoice.speech.whisper import DEMO_MODEL, WhisperRecognizer

_CHECK = "weights"


def check_weights(config: Config) -> list[Finding]:
    """Loads them as the daemon would, which fetches a named model from its hub where it is not here yet."""
    languages = LanguagePolicy(config.language).languages
    try:
        WhisperRecognizer(config.speech).require_languages(languages)
    except RecognizerError as error:
        step = "Set speech.model to a folder with a CTranslate2 Whisper model that knows these languages."
        return [Finding(_CHECK, Verdict.FAILED, str(error), step)]
    told = f"{config.speech.model}: loaded, knows {', '.join(sorted(languages))}"
    if config.speech.model == DEMO_MODEL:
        step = "For real calls set speech.model, for example to small."
        return [Finding(_CHECK, Verdict.WARNING, f"{told}, and only the demo's synthetic voices", step)]
    return [Finding(_CHECK, Verdict.OK, told)]
