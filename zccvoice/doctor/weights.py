"""Can the speech model be loaded, and does it know the languages of the queues? Blocking."""

from __future__ import annotations

import ssl

import httpx

from zccvoice.config import Config, RemoteConfig
from zccvoice.doctor.finding import Finding, Verdict
from zccvoice.errors import ConfigError, RecognizerError
from zccvoice.speech.language import LanguagePolicy
from zccvoice.speech.whisper import DEMO_MODEL, WhisperRecognizer

PATIENCE_S = 5.0
_CHECK = "weights"


def check_weights(config: Config) -> list[Finding]:
    """Loads them as the daemon would, which fetches a named model from its hub where it is not here yet."""
    if config.speech.recognizer == "remote":
        return [_server(url, config.speech.remote) for url in config.speech.remote.servers]
    languages = LanguagePolicy(config.language).languages
    try:
        WhisperRecognizer(config.speech).require_languages(languages)
    except ConfigError as error:
        step = "Shorten the prompt, or take it out."
        return [Finding(_CHECK, Verdict.FAILED, str(error), step)]
    except RecognizerError as error:
        step = "Set speech.model to a folder with a CTranslate2 Whisper model that knows these languages."
        return [Finding(_CHECK, Verdict.FAILED, str(error), step)]
    told = f"{config.speech.model}: loaded, knows {', '.join(sorted(languages))}"
    if config.speech.model == DEMO_MODEL:
        step = "For real calls set speech.model, for example to small."
        return [Finding(_CHECK, Verdict.WARNING, f"{told}, and only the demo's synthetic voices", step)]
    return [Finding(_CHECK, Verdict.OK, told)]


def _server(url: str, settings: RemoteConfig) -> Finding:
    """Whether a recognition server is there."""
    context = ssl.create_default_context(cafile=settings.ca_file)
    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", verify=context, timeout=PATIENCE_S, trust_env=False)
        problem = None if answer.is_success else f"HTTP {answer.status_code}"
    except httpx.HTTPError as error:
        problem = f"{type(error).__name__}: {error}"
    if problem is None:
        return Finding(_CHECK, Verdict.OK, f"recognition server {url}: it answers")
    step = "Start it (zccvoice recognizer), or take it out of speech.remote.servers."
    return Finding(_CHECK, Verdict.FAILED, f"recognition server {url}: {problem}", step)
