"""Where settings come from: a TOML file, the environment under our names and under Zoom's; made one tree."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeAlias

from zccvoice.errors import ConfigError

Tree: TypeAlias = dict[str, Any]
"""Sections, their fields, and theirs."""
PREFIX = "ZCCVOICE_"
ZOOM_NAMES = {
    "door.port": ("ZM_RTMS_PORT",),
    "door.path": ("ZM_RTMS_PATH",),
    "door.secret_token": ("ZOOM_SECRET_TOKEN", "ZOOM_WEBHOOK_SECRET_TOKEN"),
    "zoom.client_id": ("ZM_RTMS_CLIENT", "ZOOM_CLIENT_ID"),
    "zoom.client_secret": ("ZM_RTMS_SECRET", "ZOOM_CLIENT_SECRET"),
    "zoom.ca_file": ("ZM_RTMS_CA",),
    "zoom.api.account_id": ("ZOOM_ACCOUNT_ID",),
}
"""The names that Zoom's SDK and samples use, by our field; the first that is set counts."""
VIDEO_SDK_NAMES = {"client_id": "ZOOM_VIDEO_SDK_KEY", "client_secret": "ZOOM_VIDEO_SDK_SECRET"}
"""Together they are one more app, for Video SDK sessions."""


def is_setting(variable: str) -> bool:
    """Whether settings are read from an environment variable of this name."""
    zooms = {name for names in ZOOM_NAMES.values() for name in names} | set(VIDEO_SDK_NAMES.values())
    return variable.upper().startswith(PREFIX) or variable in zooms


def in_file(path: Path) -> Tree:
    """The settings in a TOML file.

    Raises:
        ConfigError: it cannot be read, or is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigError([f"{path}: cannot be read: it is not UTF-8 text"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([f"{path}: not TOML: {error}"]) from None


def under_zooms_names(environment: Mapping[str, str]) -> Tree:
    """The settings that stand in the environment under the names of Zoom's SDK and samples."""
    tree: Tree = {}
    for field, names in ZOOM_NAMES.items():
        value = next((environment[name] for name in names if environment.get(name)), None)
        if value is not None:
            _put(tree, field.split("."), value)
    if app := _video_sdk_app(environment):
        _put(tree, ["zoom", "apps"], [app])
    return tree


def with_video_sdk(tree: Tree, environment: Mapping[str, str]) -> Tree:
    """The same with the app of `VIDEO_SDK_NAMES` beside the others, where the apps of a file took its place."""
    app = _video_sdk_app(environment)
    zoom = tree.get("zoom")
    apps = zoom.get("apps") if isinstance(zoom, dict) else None
    if not app or not isinstance(apps, list):
        return tree
    client_ids = [one.get("client_id") for one in apps if isinstance(one, dict)]
    return tree if app.get("client_id") in client_ids else merge(tree, {"zoom": {"apps": [*apps, app]}})


def _video_sdk_app(environment: Mapping[str, str]) -> Tree:
    pair = {field: environment[name] for field, name in VIDEO_SDK_NAMES.items() if environment.get(name)}
    return {**pair, "products": ["video_sdk"]} if pair else {}


def under_our_names(environment: Mapping[str, str], sections: Mapping[str, object]) -> tuple[Tree, list[str]]:
    """The settings in ``ZCCVOICE_<SECTION>__<FIELD>``; lists and tables in JSON.

    An element of a list has its number: ``ZCCVOICE_ZOOM__APPS__0__CLIENT_SECRET``. Beside them, the problems:
    names that are none of ours, and values that begin like JSON and are not.
    """
    tree: Tree = {}
    problems = []
    ours = {name.upper(): name for name in environment if name.upper().startswith(PREFIX)}
    for upper, name in sorted(ours.items()):
        path = upper.removeprefix(PREFIX).lower().split("__")
        if path[0] not in sections:
            told = _meant(upper, path[0], sections) if path[1:] else f"; names are {PREFIX}<SECTION>__<FIELD>"
            problems.append(f"{name}: no such setting{told}")
            continue
        try:
            _put(tree, path, _value(environment[name]))
        except ValueError:
            problems.append(f"{name}: expected JSON, since it begins with [ or {{")
    return tree, problems


def merge(lower: Any, higher: Any) -> Any:
    """Two trees as one; where both say something, `higher` counts.

    Tables are merged, and so is a list with a table of numbers: element by element. A secret (``x``) and the file
    that it stands in (``x_file``) say the same thing: of `higher` either of them, unless it is empty, takes the
    place of both in `lower`.
    """
    if isinstance(lower, list) and isinstance(higher, dict) and all(key.isdecimal() for key in higher):
        merged = merge({str(number): element for number, element in enumerate(lower)}, higher)
        return [merged[number] for number in sorted(merged, key=int)]
    if not isinstance(lower, dict) or not isinstance(higher, dict):
        return higher
    common = {key: merge(lower[key], higher[key]) for key in lower.keys() & higher.keys()}
    said = [key for key, value in higher.items() if value]
    replaced = {f"{key}_file" for key in said} | {key.removesuffix("_file") for key in said}
    return {**{key: value for key, value in lower.items() if key not in replaced}, **higher, **common}


def did_you_mean(wrong: str, names: Mapping[str, object]) -> str:
    """The name that was probably meant, or nothing."""
    return next(iter(get_close_matches(wrong, names, n=1)), "")


def _meant(variable: str, wrong: str, sections: Mapping[str, object]) -> str:
    right = did_you_mean(wrong, sections)
    return f"; did you mean {variable.replace(wrong.upper(), right.upper(), 1)}?" if right else ""


def _value(text: str) -> Any:
    return json.loads(text) if text.lstrip().startswith(("[", "{")) else text


def _put(tree: Tree, path: list[str], value: Any) -> None:
    *sections, field = path
    for section in sections:
        inner = tree.setdefault(section, {})
        if not isinstance(inner, dict):  # something was said of the whole, and of a part of it
            return
        tree = inner
    tree[field] = merge(tree[field], value) if field in tree else value
