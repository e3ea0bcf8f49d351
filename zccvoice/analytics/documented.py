"""The line under each field of a dataclass, as data: the one place where a measure is described."""

from __future__ import annotations

import ast
import inspect
from functools import cache


@cache
def documented(kind: type) -> dict[str, str]:
    """The docstring below every field of a dataclass, by the field's name, in order."""
    (class_node,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(class_node, ast.ClassDef)
    found: dict[str, str] = {}
    for field, below in zip(class_node.body, class_node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(below, ast.Expr), field.target.id
            assert isinstance(below.value, ast.Constant), field.target.id
            found[field.target.id] = " ".join(str(below.value.value).split())
    return found
