from __future__ import annotations

import pytest

from zccvoice.bench import batches


@pytest.mark.parametrize("model", ["demo", "random-tiny"])
def test_each_size_of_batches_is_measured_and_says_what_alone_is_said(model: str) -> None:
    result = batches.run(model=model, device="cpu", utterances=6, sizes=(1, 4), windows=("any",))
    assert list(result.cases) == ["batches of 1", "batches of 4"]
    for case in result.cases.values():
        speed = case.pop("windows any: audio s / s")
        assert speed is not None
        assert speed > 0
        assert case == ({"windows any: words unlike alone": 0} if model == "demo" else {})
    assert result.figures["sound"].how == "6 utterances; one worker on cpu, int8_float32"
