"""What must not be stored, taken out of what was said and written before it is stored.

A recognizer cuts a number where the speaker paused ("4111 1111", "1111 1111") and its words are stored beside the
text, so the search runs over words joined by single spaces, and a find may reach over several words. `redact`
splits a text into words and does the same: text and words always agree.

- `policy`      where to start: what is taken out, what stands in its place, `redact` and `redact_words`
- `tokens`      a text as tokens, and the numbers in it, written or said in words
- `vocabulary`  number words, fillers and cues of each language
- `cards`       payment cards and security codes; `accounts`: IBANs, national ids; `contacts`: the rest
- `window`      one number over several utterances

Not found: a number whose check digit is wrong (misheard, or corrected in the middle of it), in words of a language
without a vocabulary, or spelled with words for letters ("A as in Alfa").
"""

from zccvoice.analytics.redaction.policy import DEFAULT, Policies, Policy, asked_for, redact, redact_words
from zccvoice.analytics.redaction.window import RedactionWindow

__all__ = ["DEFAULT", "Policies", "Policy", "RedactionWindow", "asked_for", "redact", "redact_words"]
