from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.scripts.sounding_bank import write_bank

torch: Any = pytest.importorskip(
    "torch", reason="torch, which only training needs, is not in this environment"
)

from demo_model.net import Net, Shape  # noqa: E402
from demo_model.training import CHECKPOINT, Plan, Trainer, blended, load_into, weights_of  # noqa: E402
from demo_model.weights import read_weights  # noqa: E402

DEMO = Path(__file__).parents[2] / "models" / "demo"


def plan(folder: Path, minutes: float, begin_from: Path | None = None) -> Plan:
    return Plan(
        bank=write_bank(folder / "bank"),
        folder=folder,
        tokenizer=DEMO / "tokenizer.json",
        begin_from=begin_from,
        minutes=minutes,
        frames=1_000,
        workers=0,
    )


def test_a_net_takes_and_gives_the_shipped_weights() -> None:
    weights, _ = read_weights(DEMO)
    net = Net(Shape(2_540), phonemes=7)
    load_into(net, weights)
    found = weights_of(net)
    assert found.keys() == weights.keys()
    assert all((found[name] == values).all() for name, values in weights.items())


def test_weights_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="another shape"):
        load_into(Net(Shape(2_540, decoder_layers=3), phonemes=7), read_weights(DEMO)[0])


def test_the_decoder_does_not_look_ahead() -> None:
    net = Net(Shape(50, width=32, heads=2, encoder_layers=1, decoder_layers=2), phonemes=3)
    features, tokens = torch.randn(1, 80, 40), torch.randint(0, 50, (1, 9))
    changed = tokens.clone()
    changed[0, 6:] = (changed[0, 6:] + 1) % 50
    with torch.no_grad():
        one, other = net(features, tokens), net(features, changed)
    assert torch.allclose(one.tokens[:, :6], other.tokens[:, :6], atol=1e-5)
    assert not torch.allclose(one.tokens[:, 6:], other.tokens[:, 6:], atol=1e-3)
    assert torch.allclose(one.looked_at.sum(-1), torch.ones(()), atol=1e-5)


def test_training_changes_the_weights_and_leaves_what_can_be_loaded(tmp_path: Path) -> None:
    folder = Trainer(plan(tmp_path, minutes=0.05, begin_from=DEMO)).run()
    before, after = read_weights(DEMO)[0], read_weights(folder)[0]
    assert before.keys() == after.keys()
    assert (before["decoder/layer_1/ffn/linear_0/bias"] != after["decoder/layer_1/ffn/linear_0/bias"]).any()
    assert (folder / "vocabulary.json").read_bytes() == (DEMO / "vocabulary.json").read_bytes()


def test_what_was_interrupted_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Trainer(plan(tmp_path, minutes=0.03)).run()
    first = torch.load(tmp_path / CHECKPOINT)["work"]
    Trainer(plan(tmp_path, minutes=0.06)).run()
    second = torch.load(tmp_path / CHECKPOINT)["work"]
    assert second[0] > first[0]
    assert second[1] > max(first[1], 0.06 * 60)
    assert "100.0 %" in capsys.readouterr().err


def test_what_is_exported_stays_as_it_is(tmp_path: Path) -> None:
    trainer = Trainer(plan(tmp_path, minutes=0.05, begin_from=DEMO))
    trainer.save()
    first = (trainer.weights_folder / "model.bin").read_bytes()
    trainer.save()
    assert first == (DEMO / "model.bin").read_bytes()
    assert (trainer.weights_folder / "model.bin").read_bytes() == first
    assert weights_equal(torch.load(tmp_path / CHECKPOINT)["mean"])


def weights_equal(found: dict[str, Any]) -> bool:
    """Whether they are the shipped ones."""
    shipped, _ = read_weights(DEMO)
    return all((found[name.replace("/", ".")].numpy() == values).all() for name, values in shipped.items())


def test_a_share_of_what_was_before_is_kept() -> None:
    before, _ = read_weights(DEMO)
    trained = {name: values + 1 for name, values in before.items()}
    assert all((blended(trained, before, 0.0)[name] == values).all() for name, values in trained.items())
    for name, values in blended(trained, before, 0.25).items():
        assert values == pytest.approx(before[name] + 0.75, abs=1e-5)
