"""What every section of the settings is, and the secrets in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, SecretStr, model_validator
from pydantic_core import PydanticCustomError

SECRET_FILE_PROBLEM = "secret_file"  # noqa: S105 (the kind of a problem)
SHORTEST_KEY = 16
"""Fewest characters of a secret that keys are made of."""


def _read(value: Any) -> Any:
    """A secret, or the file that it stands in (its last line break is dropped)."""
    if not isinstance(value, Path):
        return value
    try:
        return value.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        reason = error.strerror
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    raise PydanticCustomError(
        SECRET_FILE_PROBLEM, "cannot read {path}: {reason}", {"path": str(value), "reason": reason}
    )


Secret = Annotated[SecretStr, BeforeValidator(_read)]
"""A text that never shows in ``repr``, logs or error texts. ``<name>_file = "path"`` reads it from a file;
where one source gives both, the text counts."""


def _can_be_sent(key: SecretStr) -> SecretStr:
    """HTTP's libraries quote a header that they refuse, and so would the log."""
    text = key.get_secret_value()
    if not (text.isascii() and text.isprintable() and " " not in text):
        raise ValueError("expected printable ASCII without blanks or line breaks")
    return key


BearerToken = Annotated[Secret, AfterValidator(_can_be_sent)]
"""A secret that is sent in a header of HTTP."""


class Section(BaseModel):
    """A part of the settings: frozen, and every field documented."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _note_secret_files(cls, values: Any) -> Any:
        """A file stands for its secret until the field itself reads it: so it can have a problem of its own."""
        if not isinstance(values, dict):
            return values
        values = dict(values)
        for name, field in cls.model_fields.items():
            path = values.pop(f"{name}_file", None) if is_secret(field.annotation) else None
            if path is not None and not values.get(name):
                values[name] = Path(path) if isinstance(path, str | Path) else path
        return values


def is_secret(annotation: Any) -> bool:
    """Whether values of a field of this type must not be shown."""
    parts = (annotation, *getattr(annotation, "__args__", ()))
    return any(getattr(part, "__origin__", part) is SecretStr for part in parts)
