from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tls import Authority
from zccvoice.config import load
from zccvoice.config.sources import is_setting, merge
from zccvoice.errors import ConfigError

SECRETS = {"secret_token", "client_secret"}


@pytest.mark.parametrize(
    ("name", "section", "field", "value"),
    [
        ("ZM_RTMS_PORT", "door", "port", 3000),
        ("ZM_RTMS_PATH", "door", "path", "/webhook"),
        ("ZOOM_SECRET_TOKEN", "door", "secret_token", "t"),
        ("ZOOM_WEBHOOK_SECRET_TOKEN", "door", "secret_token", "t"),
        ("ZM_RTMS_CLIENT", "zoom", "client_id", "c"),
        ("ZOOM_CLIENT_ID", "zoom", "client_id", "c"),
        ("ZM_RTMS_SECRET", "zoom", "client_secret", "s"),
        ("ZOOM_CLIENT_SECRET", "zoom", "client_secret", "s"),
    ],
)
def test_zooms_names_work_below_ours(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, section: str, field: str, value: Any
) -> None:
    monkeypatch.setenv(name, str(value))
    found = getattr(getattr(load(), section), field)
    assert (found.get_secret_value() if field in SECRETS else found) == value
    ours = "9" if field == "port" else "/ours"
    (tmp_path / "ours.toml").write_text(f'[{section}]\n{field} = "{ours}"\n', encoding="utf-8")
    in_file = getattr(getattr(load(tmp_path / "ours.toml"), section), field)
    assert str(in_file.get_secret_value() if field in SECRETS else in_file) == ours
    monkeypatch.setenv(f"ZCCVOICE_{section.upper()}__{field.upper()}", ours)
    in_environment = getattr(getattr(load(), section), field)
    assert in_environment == in_file


def test_zooms_name_of_the_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = Authority().write(tmp_path / "ca.pem")
    monkeypatch.setenv("ZM_RTMS_CA", str(path))
    assert load().zoom.ca_file == path


def test_zooms_name_of_the_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOOM_ACCOUNT_ID", "A")
    assert load().zoom.api.account_id == "A"


def test_the_sdks_names_win_over_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZM_RTMS_CLIENT", "sdk")
    monkeypatch.setenv("ZOOM_CLIENT_ID", "samples")
    assert load().zoom.client_id == "sdk"


def test_a_video_sdk_key_pair_is_one_more_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZOOM_VIDEO_SDK_KEY", "key")
    monkeypatch.setenv("ZOOM_VIDEO_SDK_SECRET", "s3cret")
    (app,) = load().zoom.apps
    assert (app.client_id, app.client_secret.get_secret_value(), app.products) == (
        "key",
        "s3cret",
        ("video_sdk",),
    )
    monkeypatch.delenv("ZOOM_VIDEO_SDK_SECRET")
    with pytest.raises(ConfigError, match=r"zoom\.apps\.0\.client_secret: required"):
        load()


def test_a_video_sdk_key_pair_is_an_app_beside_those_of_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "z.toml").write_text(
        '[[zoom.apps]]\nclient_id = "a"\n[[zoom.apps]]\nclient_id = "b"\nclient_secret = "s-b"\n',
        encoding="utf-8",
    )
    monkeypatch.setenv("ZCCVOICE_ZOOM__APPS__0__CLIENT_SECRET", "s-a")
    monkeypatch.setenv("ZOOM_VIDEO_SDK_KEY", "key")
    monkeypatch.setenv("ZOOM_VIDEO_SDK_SECRET", "s3cret")
    zoom = load(tmp_path / "z.toml").zoom
    assert [(one.client_id, one.client_secret.get_secret_value()) for one in zoom.apps] == [
        ("a", "s-a"),
        ("b", "s-b"),
        ("key", "s3cret"),
    ]
    assert [one.client_id for one in zoom.all_apps] == ["key", "a", "b"], "or a would sign its streams"
    monkeypatch.setenv("ZOOM_VIDEO_SDK_KEY", "a")
    assert [one.client_id for one in load(tmp_path / "z.toml").zoom.apps] == ["a", "b"], "the file names it"
    monkeypatch.setenv("ZOOM_VIDEO_SDK_KEY", "")
    with pytest.raises(ConfigError, match=r"zoom\.apps\.2\.client_id: required"):
        load(tmp_path / "z.toml")


def test_the_environment_fills_in_the_apps_of_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "z.toml").write_text(
        '[[zoom.apps]]\nclient_id = "a"\n[[zoom.apps]]\nclient_id = "b"\n', encoding="utf-8"
    )
    monkeypatch.setenv("ZCCVOICE_ZOOM__APPS__0__CLIENT_SECRET", "s-a")
    monkeypatch.setenv("ZCCVOICE_ZOOM__APPS__1__CLIENT_SECRET", "s-b")
    apps = load(tmp_path / "z.toml").zoom.apps
    assert [(one.client_id, one.client_secret.get_secret_value()) for one in apps] == [
        ("a", "s-a"),
        ("b", "s-b"),
    ]


def test_the_environment_alone_may_hold_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in (10, 9):
        monkeypatch.setenv(f"ZCCVOICE_ZOOM__APPS__{number}__CLIENT_ID", f"app-{number}")
        monkeypatch.setenv(f"ZCCVOICE_ZOOM__APPS__{number}__CLIENT_SECRET", "s")
    assert [one.client_id for one in load().zoom.apps] == ["app-9", "app-10"]
    monkeypatch.setenv("ZCCVOICE_ZOOM__APPS__X", "1")
    with pytest.raises(ConfigError, match=r"zoom\.apps: expected a list, got a table"):
        load()


def test_lists_and_tables_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZCCVOICE_ZOOM__ALLOWED_HOSTS", '["127.0.0.1"]')
    monkeypatch.setenv("ZCCVOICE_LANGUAGE__QUEUES", '{"Orders": "es"}')
    monkeypatch.setenv("ZCCVOICE_ZOOM__CLIENT_ID", "12345")
    config = load()
    assert config.zoom.allowed_hosts == ("127.0.0.1",)
    assert config.language.queues == {"Orders": "es"}
    assert config.zoom.client_id == "12345"


def test_secrets_may_be_files_in_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t\n", encoding="utf-8")
    monkeypatch.setenv("ZCCVOICE_DOOR__SECRET_TOKEN_FILE", str(tmp_path / "token"))
    assert load().door.secret_token.get_secret_value() == "t"


def test_a_secrets_file_ranks_as_the_source_that_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("toml", "environment", "argument"):
        (tmp_path / name).write_text(f"of the {name}", encoding="utf-8")

    def secret(settings: str, **arguments: Any) -> str:
        (tmp_path / "z.toml").write_text(f"[zoom]\n{settings}\n", encoding="utf-8")
        return load(tmp_path / "z.toml", **arguments).zoom.client_secret.get_secret_value()

    in_file = f'client_secret_file = "{tmp_path / "toml"}"'
    monkeypatch.setenv("ZOOM_CLIENT_SECRET", "zoom's")
    assert secret(in_file) == "of the toml"
    monkeypatch.setenv("ZCCVOICE_ZOOM__CLIENT_SECRET", "")
    assert secret(in_file) == "of the toml", "a variable that is set to nothing says nothing"
    monkeypatch.setenv("ZCCVOICE_ZOOM__CLIENT_SECRET_FILE", str(tmp_path / "environment"))
    assert secret('client_secret = "plain"') == "of the environment"
    assert secret(in_file, zoom={"client_secret": "plain"}) == "plain"
    monkeypatch.setenv("ZCCVOICE_ZOOM__CLIENT_SECRET", "plain")
    assert secret(in_file) == "plain"
    assert secret(in_file, zoom={"client_secret_file": str(tmp_path / "argument")}) == "of the argument"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("ZCCVOICE_ZOM__CLIENT_ID", "no such setting; did you mean ZCCVOICE_ZOOM__CLIENT_ID?"),
        ("ZCCVOICE_PORT", "no such setting; names are ZCCVOICE_<SECTION>__<FIELD>"),
        ("ZCCVOICE_DATABASE_HOST", "no such setting; names are ZCCVOICE_<SECTION>__<FIELD>"),
        ("ZCCVOICE_QQQQ__X", "no such setting"),
        ("ZCCVOICE_ZOOM__APPS", "expected JSON, since it begins with [ or {"),
    ],
)
def test_names_that_are_none_of_ours(monkeypatch: pytest.MonkeyPatch, name: str, problem: str) -> None:
    monkeypatch.setenv(name, "[s3cret")
    monkeypatch.setenv("ZCCVOICE_DOOR__PORT", "x")
    with pytest.raises(ConfigError) as caught:
        load()
    assert caught.value.problems == [
        f"{name}: {problem}",
        "door.port: expected a whole number, got 'x'",
    ]
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ZCCVOICE_X", True),
        ("zccvoice_x", True),
        ("ZOOM_CLIENT_ID", True),
        ("ZOOM_VIDEO_SDK_KEY", True),
        ("PATH", False),
    ],
)
def test_what_is_read_as_a_setting(name: str, expected: bool) -> None:
    assert is_setting(name) is expected


trees = st.recursive(
    st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=6
)


@given(trees, trees)
def test_merging_keeps_all_that_is_higher(lower: Any, higher: Any) -> None:
    merged = merge(lower, higher)
    assert merge(merged, higher) == merged
    assert merge(higher, {}) == higher or not isinstance(higher, dict)
    if isinstance(lower, dict) and isinstance(higher, dict):
        assert merged.keys() == lower.keys() | higher.keys()
