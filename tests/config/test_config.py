from __future__ import annotations

from pathlib import Path

import pytest

from zccvoice.config import Config, ZoomConfig, load
from zccvoice.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    path = folder / "zccvoice.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_arguments_win_over_environment_over_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path, '[door]\nport = 1\nhost = "file"\npath = "/file"\n')
    monkeypatch.setenv("ZCCVOICE_DOOR__PORT", "2")
    monkeypatch.setenv("ZCCVOICE_DOOR__HOST", "environment")
    config = load(path, door={"port": 3})
    assert (config.door.port, config.door.host, config.door.path) == (3, "environment", "/file")


def test_all_problems_at_once_each_with_its_field(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "[door]\nport = 99999\nspeling = 1\n[zoom]\nsend_rate_ms = 30\n[speech.vad]\naggressiveness = 7\n"
        '[language]\nqueues = {orders = "English"}\n[nonsense]\nx = 1\n',
    )
    with pytest.raises(ConfigError) as caught:
        load(path)
    fields = {problem.split(":")[0] for problem in caught.value.problems}
    assert fields == {
        "door.port",
        "door.speling",
        "zoom.send_rate_ms",
        "speech.vad.aggressiveness",
        "language.queues.orders",
        "nonsense",
    }


def test_an_unreadable_or_broken_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match="not TOML"):
        load(write(tmp_path, "door = ["))


def test_secrets_come_from_files_and_never_show(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret-token\n", encoding="utf-8")
    config = load(
        write(tmp_path, f'[door]\nsecret_token_file = "{tmp_path / "token"}"\n'),
        zoom={"client_secret": "s3cret-client"},
        database={"url": "postgresql://u:s3cret-db@h/d"},
    )
    assert config.door.secret_token.get_secret_value() == "s3cret-token"
    assert "s3cret" not in repr(config)
    assert "s3cret" not in str(config.model_dump())


def test_a_missing_secret_file_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^door\.secret_token_file: cannot read /nowhere/token: No such file"
    ):
        load(write(tmp_path, '[door]\nsecret_token_file = "/nowhere/token"\n'))


def test_a_wrong_secret_does_not_show_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, '[zoom]\nclient_secret = ["s3cret"]\n'))
    assert "s3cret" not in str(caught.value)


def test_what_serve_cannot_do_without() -> None:
    problems = Config().missing_for_serve()
    assert [problem.split(":")[0] for problem in problems] == [
        "door.secret_token",
        "zoom.client_id",
        "zoom.client_secret",
    ]


@pytest.mark.parametrize(
    ("sound", "transcripts", "calls"), [(0, 0, 0), (30, 0, 0), (0, 400, 0), (30, 90, 90), (400, 30, 400)]
)
def test_retention_that_makes_sense(sound: int, transcripts: int, calls: int) -> None:
    days = {"sound_days": sound, "transcripts_days": transcripts, "calls_days": calls}
    assert load(None, retention=days).retention.model_dump() == days


@pytest.mark.parametrize(
    ("sound", "transcripts", "blamed"),
    [(0, 30, "sound_days"), (91, 30, "sound_days"), (30, 0, "transcripts_days")],
)
def test_nothing_outlives_its_call(sound: int, transcripts: int, blamed: str) -> None:
    with pytest.raises(ConfigError, match=f"{blamed}: expected 1 to calls_days"):
        load(None, retention={"sound_days": sound, "transcripts_days": transcripts, "calls_days": 90})


# What is asked of Zoom


def test_left_out_the_audio_is_l16_at_16_khz_in_messages_of_100_ms() -> None:
    zoom = ZoomConfig()
    assert (zoom.codec, zoom.audio_rate_hz, zoom.channels, zoom.rtp, zoom.audio_send_rate_ms) == (
        "l16",
        16_000,
        1,
        False,
        100,
    )


@pytest.mark.parametrize(("codec", "rate_hz"), [("g711", 8_000), ("g722", 16_000), ("OPUS", 48_000)])
def test_each_codec_brings_its_rate_and_packets_of_20_ms(tmp_path: Path, codec: str, rate_hz: int) -> None:
    zoom = load(write(tmp_path, f'[zoom]\ncodec = "{codec}"\n')).zoom
    assert (zoom.audio_rate_hz, zoom.audio_send_rate_ms) == (rate_hz, 20)


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ('codec = "g711"\nsample_rate_hz = 16000', "sample_rate_hz: expected 8000 for g711, got 16000"),
        (
            "sample_rate_hz = 44100",
            "sample_rate_hz: expected 8000 or 16000 or 32000 or 48000 for l16, got 44100",
        ),
        ('codec = "g722"\nchannels = 2', "channels: expected 1 for g722, got 2"),
        ('codec = "opus"\nsend_rate_ms = 100', "send_rate_ms: expected 20 for opus, got 100"),
        ("rtp = true", "rtp: expected false for l16"),
    ],
)
def test_what_zoom_would_refuse_is_refused_with_its_field(
    tmp_path: Path, settings: str, problem: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path, f"[zoom]\n{settings}\n"))
    assert caught.value.problems == [f"zoom.{problem}"]
