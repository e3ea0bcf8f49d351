"""Recognition servers in processes of their own, asked over HTTP; one is killed while it works."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from zccvoice.config import RemoteConfig, SpeechConfig
from zccvoice.daemon.remote import open_remote
from zccvoice.errors import RecognizerError
from zccvoice.simulator.demo import demo_scenarios
from zccvoice.simulator.sources import read_sound
from zccvoice.speech.recognizer import RecognizerItem
from zccvoice.speech.utterance import Transcript, Utterance
from zccvoice.speech.whisper import WhisperRecognizer

KEY = "k3y-of-the-servers"
LANGUAGES = {"orders": "en", "factura": "es", "router": "de"}


@contextmanager
def server(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """``zccvoice recognizer`` on a port of the system's choice; its process and its URL."""
    log = folder / f"recognizer-{time.monotonic_ns()}.log"
    settings = ("recognizer.port=0", "speech.workers=1", "log.format=json")
    command = [sys.executable, "-m", "zccvoice", "recognizer"]
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, *(part for one in settings for part in ("--set", one))],
            stdout=file,
            stderr=file,
            text=True,
            cwd=folder,
            env={**os.environ, "ZCCVOICE_RECOGNIZER__API_KEY": KEY},
        )
    try:
        end = time.monotonic() + 60
        while (found := re.search(r'"(http://[^"]+)"', log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, "it does not come up"
            time.sleep(0.05)
        yield process, found[1]
    finally:
        process.terminate()
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        text = log.read_text()
        assert KEY not in text
        assert "order number" not in text, "what was said is in no log"


@pytest.fixture(scope="module")
def items() -> list[RecognizerItem]:
    """Every sentence of the demo's calls."""
    found = []
    for scenario in demo_scenarios():
        for clip in sorted((scenario.parent / scenario.stem).glob("*.flac")):
            samples = read_sound(clip)
            utterance = Utterance(clip.stem, 0, len(samples) // 16, samples, 0, -20.0, 0.0)
            found.append(RecognizerItem(utterance, LANGUAGES[scenario.stem]))
    return found


@pytest.fixture(scope="module")
def texts(items: list[RecognizerItem]) -> list[str]:
    """What the recognizer hears in this process."""
    heard = WhisperRecognizer(SpeechConfig(workers=1)).transcribe(items)
    return [one.text for one in heard if isinstance(one, Transcript)]


def test_a_pair_of_servers_loses_nothing_when_one_is_killed(
    tmp_path: Path, items: list[RecognizerItem], texts: list[str]
) -> None:
    assert len(texts) == len(items) > 30
    with server(tmp_path) as (first, first_url), server(tmp_path) as (_, second_url):
        settings = RemoteConfig(servers=(first_url, second_url), api_key=KEY, most_at_once=6)
        done: dict[int, str] = {}

        def ask(number: int) -> None:
            (found,) = recognizer.transcribe([items[number]])
            assert isinstance(found, Transcript)
            assert number not in done, "twice"
            done[number] = found.text

        with open_remote(settings) as recognizer, ThreadPoolExecutor(12) as threads:
            asked = [threads.submit(ask, number) for number in range(len(items))]
            while len(done) < len(items) // 4:
                time.sleep(0.01)
            first.kill()
            for one in asked:
                one.result(120)
    assert [done[number] for number in range(len(items))] == texts


def test_it_is_the_same_with_words_evidence_and_languages(
    tmp_path: Path, items: list[RecognizerItem]
) -> None:
    local = WhisperRecognizer(SpeechConfig(workers=1))
    some = items[::7]
    with server(tmp_path) as (_, url), open_remote(RemoteConfig(servers=(url,), api_key=KEY)) as recognizer:
        over_http = recognizer.transcribe(some)
        told = recognizer.detect_language([one.utterance for one in some], ["de", "en", "es"])
    expected = local.transcribe(some)
    for one, other in zip(over_http, expected, strict=True):
        assert isinstance(one, Transcript)
        assert isinstance(other, Transcript)
        assert (one.text, one.words) == (other.text, other.words)
        assert one.evidence is not None
        assert other.evidence is not None
        told_here = other.evidence.average_log_probability
        assert one.evidence.average_log_probability == pytest.approx(told_here)
    named = [max(one, key=one.__getitem__) for one in told]
    assert named == [one.language for one in some]


def test_a_wrong_key_is_told_at_start(tmp_path: Path) -> None:
    with server(tmp_path) as (_, url):
        for key, is_good in ((KEY, True), ("another", False), ("", False)):
            with open_remote(RemoteConfig(servers=(url,), api_key=key)) as recognizer:
                if is_good:
                    recognizer.require_languages(frozenset({"en"}))
                else:
                    with pytest.raises(RecognizerError, match="api_key"):
                        recognizer.require_languages(frozenset({"en"}))
    away = RemoteConfig(servers=("http://127.0.0.1:1",), api_key=KEY)
    with open_remote(away) as recognizer:
        recognizer.require_languages(frozenset({"en"}))
