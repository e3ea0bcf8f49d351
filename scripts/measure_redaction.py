"""Recall and false alarms of redaction on a labelled set: `python scripts/measure_redaction.py [COUNT] [--show]`.

COUNT utterances of each class, language and form, and ten times as many innocent ones of each language; the same
on every run. `--show` prints what was missed and what was taken by mistake.
"""

from __future__ import annotations

import argparse
from collections import Counter

from zccvoice.analytics.redaction import redact
from zccvoice.bench.redaction_set import Labelled, negatives, positives


def is_gone(one: Labelled) -> bool:
    """Whether nothing of the marked part is left over, and its class's mask stands there."""
    redacted = redact(one.text, one.language)
    begin, end = one.text.split(one.marked)[0], one.text.split(one.marked)[-1]
    middle = redacted[len(begin) : len(redacted) - len(end)] if end.strip() else redacted[len(begin) :]
    return redacted.startswith(begin.rstrip()) and middle.strip() == f"[{one.kind}]"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Recall and false alarms of redaction on a labelled set.")
    parser.add_argument("count", nargs="?", type=int, default=300)
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    found: Counter[tuple[str, str, str]] = Counter()
    total: Counter[tuple[str, str, str]] = Counter()
    for one in positives(arguments.count):
        cell = one.kind, one.language, one.form
        total[cell] += 1
        found[cell] += is_gone(one)
        if arguments.show and not is_gone(one):
            print("missed", one.language, repr(one.text), "->", repr(redact(one.text, one.language)))
    print(f"{'class':<14} {'language':<9} {'form':<8} {'utterances':>10} {'recall':>8}")
    for cell, count in total.items():
        print(f"{cell[0]:<14} {cell[1]:<9} {cell[2]:<8} {count:>10} {found[cell] / count:>8.2%}")
    print(f"\n{'language':<9} {'innocent':>10} {'false alarms':>13} {'per 1,000':>10}")
    for language in ("en", "es", "de"):
        innocent = [one for one in negatives(10 * arguments.count) if one.language == language]
        alarms = [one for one in innocent if redact(one.text, language) != one.text]
        if arguments.show:
            for one in alarms:
                print("alarm", language, repr(one.text), "->", repr(redact(one.text, language)))
        print(
            f"{language:<9} {len(innocent):>10} {len(alarms):>13} {1000 * len(alarms) / len(innocent):>10.2f}"
        )


if __name__ == "__main__":
    main()
