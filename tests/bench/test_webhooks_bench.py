from __future__ import annotations

from pathlib import Path

from zccvoice.bench import webhooks


def test_what_was_answered_is_on_the_disk(tmp_path: Path) -> None:
    result = webhooks.run(rate_per_s=100, seconds=0.2, folder=tmp_path)
    figures = {name: figure.value for name, figure in result.figures.items()}
    assert (figures["refused"], figures["kept"]) == (0, 20)
    assert 0 < figures["answer_p50"] <= figures["answer_p99"] <= figures["answer_max"]
    assert [one.name for one in result.wanted] == ["answer_p99", "refused", "kept"]
    assert list(tmp_path.iterdir()) == []
