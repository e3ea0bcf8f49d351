"""`zccvoice models fetch` over HTTP: a hub on the loopback interface that has the demo weights as others."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.http_server import Reply, Request, http_server
from zccvoice.errors import RecognizerError
from zccvoice.speech import manifest
from zccvoice.speech.weights import fetch
from zccvoice.speech.whisper import weights_location

DEMO = Path(weights_location("demo"))
COMMIT = "c0ffee" * 6 + "abcd"
WANTED = ("README.md", "config.json", "model.bin", "tokenizer.json", "vocabulary.json")


@dataclass
class Hub:
    """What the hub's client asks of it: a repository's files, and each of them, from any byte on."""

    breaks_off: bool = False
    """Of the large file only half is sent of what is asked for."""
    asked: list[str] = field(default_factory=list)
    """Ranges of the large file."""

    def answer(self, request: Request) -> Reply:
        path = request.path.partition("?")[0]
        if path.startswith("/api/models/"):
            told = {
                "id": "a/b",
                "sha": COMMIT,
                "siblings": [_told(name) for name in (*WANTED, "tf_model.h5")],
            }
            return Reply(200, json.dumps(told).encode(), {"content-type": "application/json"})
        name = path.rpartition("/")[2]
        if name not in WANTED:
            return Reply(404)
        content = (DEMO / name).read_bytes()
        since = re.fullmatch(r"bytes=(\d+)-.*", request.headers.get("range", ""))
        first = int(since[1]) if since else 0
        rest = content[first:]
        headers = {"content-length": str(len(rest))}
        if name == "model.bin":
            self.asked.append(request.headers.get("range", ""))
            if self.breaks_off:
                rest = rest[: len(rest) // 2]
        return Reply(206 if since else 200, rest, headers)


def _told(name: str) -> dict[str, object]:
    content = (DEMO / name).read_bytes() if name in WANTED else b""
    told: dict[str, object] = {"rfilename": name, "size": len(content), "blobId": "0"}
    if name == "model.bin":
        digest = hashlib.sha256(content).hexdigest()
        told["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 134}
    return told


def test_weights_come_with_their_checksums(tmp_path: Path) -> None:
    hub = Hub()
    with http_server(hub.answer) as origin:
        folder = fetch("tiny", tmp_path, endpoint=origin)
    assert folder == tmp_path / "tiny"
    for name in WANTED:
        assert (folder / name).read_bytes() == (DEMO / name).read_bytes()
    assert not (folder / "tf_model.h5").exists()
    assert manifest.verify(folder) == []


def test_what_was_begun_is_gone_on_with(tmp_path: Path) -> None:
    hub = Hub(breaks_off=True)
    with http_server(hub.answer) as origin:
        with pytest.raises(RecognizerError, match="What has come so far is kept"):
            fetch("tiny", tmp_path, endpoint=origin)
        assert not (tmp_path / "tiny").exists()
        broken_off = len(hub.asked)
        hub.breaks_off = False
        folder = fetch("tiny", tmp_path, endpoint=origin)
    assert (folder / "model.bin").read_bytes() == (DEMO / "model.bin").read_bytes()
    begun = re.fullmatch(r"bytes=(\d+)-.*", hub.asked[broken_off])
    assert begun is not None, "it begins anew"
    assert int(begun[1]) >= (DEMO / "model.bin").stat().st_size // 2 - 65_536


def test_what_is_not_what_the_hub_said_is_dropped(tmp_path: Path) -> None:
    hub = Hub()
    (tmp_path / ".tiny.coming").mkdir()
    begun = tmp_path / ".tiny.coming" / "model.bin.part"
    begun.write_bytes(b"of another version")
    with http_server(hub.answer) as origin:
        with pytest.raises(RecognizerError, match="cannot fetch 'tiny'") as refused:
            fetch("tiny", tmp_path, endpoint=origin)
        assert "model.bin: expected SHA-256" in str(refused.value.__cause__)
        assert not begun.exists()
        assert (fetch("tiny", tmp_path, endpoint=origin) / "model.bin").is_file()
