from __future__ import annotations

import argparse
import json

import pytest

from zccvoice.bench import BenchResult, Figure, Wanted, demo, percentile
from zccvoice.cli import bench
from zccvoice.rehearsal import Rehearsal, figures
from zccvoice.simulator.truth import CallTruth


def truth(duration_ms: int) -> CallTruth:
    return CallTruth("t", "E", "S", "q", "Q", "en", 1, duration_ms, 0, 16_000, 100, (), (), (), (), 21, 0)


def page(**seconds: float) -> str:
    lines = [f"zccvoice_{name}_cpu_seconds {seconds[name]}" for name in ("loop", "process")]
    lines += [
        f'zccvoice_cpu_seconds_total{{stage="{name}"}} {seconds[name]}' for name in ("decode", "vad", "store")
    ]
    return "\n".join(["# HELP x y", *lines, f"zccvoice_resident_memory_bytes {seconds['memory'] * 2**20}"])


def test_cpu_is_told_apart_by_stage_and_per_call_minute() -> None:
    rehearsal = Rehearsal(
        truths=(truth(90_000), truth(30_000)),
        lags_s={"a": 0.2, "b": 0.4},
        metrics_before=page(loop=1, process=2, decode=0, vad=0, store=0.5, memory=100),
        metrics_after=page(loop=2, process=9, decode=0.1, vad=0.3, store=1.0, memory=200),
    )
    result = demo.result_of(rehearsal, speed=4)
    values = {name: figure.value for name, figure in result.figures.items()}
    assert values == {
        "cpu_socket": 0.3,
        "cpu_decode": 0.05,
        "cpu_vad": 0.15,
        "cpu_recognition": 2.75,
        "cpu_store": 0.25,
        "cpu_all": 3.5,
        "scorecard_lag_p50": 0.4,
        "scorecard_lag_p95": 0.4,
        "call_minutes": 2.0,
        "memory": 200,
    }
    assert result.is_met


def test_the_page_is_read_with_its_labels() -> None:
    assert figures('# TYPE a counter\na{b="c d"} 2.5\ne 1e3\n') == {'a{b="c d"}': 2.5, "e": 1000}


@pytest.mark.parametrize(("value", "check", "status"), [(1.0, True, 0), (3.0, True, 1), (3.0, False, 0)])
def test_one_form_for_all(value: float, check: bool, status: int, capsys: pytest.CaptureFixture[str]) -> None:
    result = BenchResult("x", {"lag": Figure(value, "s", "by hand")}, [Wanted("lag", 2.0, value)])
    assert bench.show(result, argparse.Namespace(json=True, check=check)) == status
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"bench", "machine", "figures", "wanted", "cases"}
    assert document["figures"] == {"lag": {"value": value, "unit": "s", "how": "by hand"}}
    assert document["wanted"] == [{"name": "lag", "bound": 2.0, "value": value, "met": value <= 2}]
    assert bench.show(result, argparse.Namespace(json=False, check=check)) == status
    assert ("MISSED" in capsys.readouterr().out) == (value > 2)


def test_a_bound_may_be_a_least_one() -> None:
    assert Wanted("calls", 500, 600, is_least=True).is_met
    assert not Wanted("calls", 500, 400, is_least=True).is_met


@pytest.mark.parametrize(("percent", "value"), [(0, 1), (50, 2), (51, 3), (99, 4), (100, 4)])
def test_a_percentile_is_one_of_the_values(percent: float, value: float) -> None:
    assert percentile([4, 1, 3, 2], percent) == value
