"""Scripts that are written without spaces between words: how many words a text in them has, nobody can count."""

from __future__ import annotations

import re

UNSPACED_LETTER = re.compile(
    "[\u0e00-\u0e3e\u0e40-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""A letter of Thai (the sign of the baht is none), Lao, Tibetan, Burmese, Khmer, Japanese or Chinese."""
