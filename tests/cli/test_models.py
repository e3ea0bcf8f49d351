from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from zccvoice.cli import main
from zccvoice.errors import RecognizerError
from zccvoice.speech.weights import fetch, install
from zccvoice.speech.whisper import weights_location

DEMO = Path(weights_location("demo"))


def models(folder: Path, *arguments: str) -> int:
    what, *rest = arguments
    return main(["models", what, "--set", f"data.folder={folder}", *rest])


def packed(kind: str, folder: Path) -> Path:
    match kind:
        case "folder":
            return DEMO
        case "zip":
            path = folder / "weights.zip"
            with zipfile.ZipFile(path, "w") as archive:
                for file in DEMO.iterdir():
                    archive.write(file, f"../up/{file.name}")
                archive.writestr("../evil.txt", "out")
            return path
    path = folder / "weights.tar.gz"
    with tarfile.open(path, "w:gz") as bundle:
        for file in DEMO.iterdir():
            bundle.add(file, f"/somewhere/{file.name}")
        bundle.add(folder, "../evil", recursive=False)
    return path


@pytest.mark.parametrize("kind", ["folder", "zip", "tar"])
def test_installed_without_a_network(kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, data = packed(kind, tmp_path), tmp_path / "data"
    assert models(data, "fetch", "ours", "--from", str(source)) == 0
    folder = data / "models" / "ours"
    assert capsys.readouterr().out == f"speech.model = {str(folder)!r}\n"
    assert {path.name for path in folder.iterdir()} == {path.name for path in DEMO.iterdir()} | {
        "manifest.toml"
    }
    assert {path.name for path in (data / "models").iterdir()} == {"ours"}
    assert models(data, "verify", "ours") == models(data, "verify", str(folder)) == 0
    assert models(data, "card", "ours") == 0
    assert "Demo weights" in capsys.readouterr().out
    assert models(data, "list") == 0
    assert "ours" in capsys.readouterr().out


def test_weights_that_are_there_are_not_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert models(tmp_path, "fetch", "ours", "--from", str(DEMO)) == 0
    assert models(tmp_path, "fetch", "ours", "--from", str(DEMO)) == 3
    assert "is there already" in capsys.readouterr().err


def test_a_link_in_an_archive_is_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    link = tarfile.TarInfo("model.bin")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "links.tar", "w") as bundle:
        bundle.addfile(link)
        bundle.add(DEMO / "config.json", "config.json")
        bundle.add(DEMO / "tokenizer.json", "tokenizer.json")
    assert models(tmp_path, "fetch", "ours", "--from", str(tmp_path / "links.tar")) == 3
    assert "expected a CTranslate2 Whisper model, got none of model.bin" in capsys.readouterr().err
    assert list((tmp_path / "models").iterdir()) == []


@pytest.mark.parametrize("name", ["../up", ".hidden", "a/b", ""])
def test_names_lead_nowhere_else(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert models(tmp_path, "fetch", name, "--from", str(DEMO)) == 3
    assert "expected a name of letters" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "models").write_text("in the way")
    assert models(tmp_path, "fetch", "ours", "--from", str(DEMO)) == 3
    assert "cannot write weights to" in capsys.readouterr().err


def test_what_is_no_archive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text").write_text("no archive")
    assert models(tmp_path, "fetch", "ours", "--from", str(tmp_path / "text")) == 3
    assert "cannot read weights from" in capsys.readouterr().err


def zipped(folder: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = folder / "weights.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("model.bin", bytes(range(256)) * 100)
    return path


def with_field(archive: bytes, at: int, value: int) -> bytes:
    """A zip with another number in a field of its entry: in its header, and two bytes further in the directory."""
    changed = bytearray(archive)
    for start in (at, archive.index(b"PK\x01\x02") + at + 2):
        changed[start : start + 2] = value.to_bytes(2, "little")
    return bytes(changed)


@pytest.mark.parametrize(
    ("method", "spoilt"),
    [
        (zipfile.ZIP_DEFLATED, lambda archive: archive[:60] + b"\xff" * 30 + archive[90:]),
        (zipfile.ZIP_LZMA, lambda archive: archive[:60] + b"\xff" * 30 + archive[90:]),
        (zipfile.ZIP_DEFLATED, lambda archive: with_field(archive, 6, 1)),  # wants a password
        (zipfile.ZIP_DEFLATED, lambda archive: with_field(archive, 8, 6)),  # imploded
    ],
    ids=["deflate", "lzma", "password", "method"],
)
def test_an_archive_that_cannot_be_unpacked(
    method: int, spoilt: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = zipped(tmp_path, method)
    path.write_bytes(spoilt(path.read_bytes()))
    with pytest.raises(RecognizerError, match="cannot read weights from"):
        install("ours", path, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_an_archive_of_two_models_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "two.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for folder in ("small", "medium"):
            for name in ("config.json", "model.bin", "tokenizer.json"):
                archive.writestr(f"{folder}/{name}", folder)
    with pytest.raises(
        RecognizerError, match=r"two\.zip: expected the weights of one model, got config\.json"
    ):
        install("ours", path, tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_the_demo_weights_are_those_that_were_shipped(tmp_path: Path) -> None:
    assert models(tmp_path, "verify", "demo") == models(tmp_path, "verify") == 0


def test_a_damaged_file_and_a_missing_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(DEMO, tmp_path / "demo")
    shutil.copy(DEMO.parent / "manifest.toml", tmp_path)
    with (tmp_path / "demo" / "model.bin").open("r+b") as file:
        file.seek(1000)
        file.write(b"damage")
    (tmp_path / "demo" / "config.json").unlink()
    assert models(tmp_path, "verify", str(tmp_path / "demo")) == 1
    told = capsys.readouterr().err.splitlines()
    assert told[0] == "config.json: missing"
    assert told[1].startswith("model.bin: expected SHA-256 ")


def test_names_and_sizes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert models(tmp_path, "list") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:3] == ["large-v3-turbo", "1,620", "MB"] for line in lines)
    assert any(line.split()[:3] == ["tiny.en", "75", "MB"] for line in lines)
    assert any(line.split()[:3] == ["distil-medium.en", "789", "MB"] for line in lines)


def test_a_hub_that_cannot_be_reached(tmp_path: Path) -> None:
    with pytest.raises(RecognizerError, match=r"cannot fetch 'tiny' .*--from FOLDER_OR_ARCHIVE"):
        fetch("tiny", tmp_path, endpoint="http://127.0.0.1:9")
    assert not (tmp_path / "tiny").exists()


def test_names_that_are_not_on_this_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert models(tmp_path, "card", "nobodys") == 3
    assert "zccvoice models fetch nobodys" in capsys.readouterr().err
    with pytest.raises(
        RecognizerError, match="expected a name that zccvoice models list shows, got 'nobodys'"
    ):
        fetch("nobodys", tmp_path)
