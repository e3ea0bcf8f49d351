"""Makes the demo weights, all of them from nothing: speech, vocabulary, training, and the folder that is loaded.

    export PYTHONPATH=.
    python scripts/train_demo_model.py                       # from nothing: hours on a CPU, minutes on a GPU
    python scripts/train_demo_model.py --from models/demo    # go on from weights that are there
    python scripts/evaluate_model.py var/demo_model/weights  # how good they are

Build-time only: needs the espeak-ng library (Debian: libespeak-ng1, espeak-ng-data), and torch in the program's
environment. Works in ``var/demo_model``: the bank of speech, ``checkpoint.pt``, and ``weights``, which is written
at every checkpoint and is a whole model each time. The same command goes on where an earlier one stopped; progress
is on stderr. To use the weights, copy them over ``models/demo`` and write its manifest and its card anew.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from demo_model.bank import make_bank
from demo_model.tokenizer import make_tokenizer
from demo_model.training import CHECKPOINT, Plan, Trainer

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Usual:
    """What a device wants; each was run from nothing to its end, and met every bound of the card."""

    minutes: float
    frames: int
    workers: int


def usual_on(device: str, cores: int) -> Usual:
    """On ``cpu`` or ``cuda``. A GPU wants to be fed by every core but one or two."""
    if device == "cuda":
        return Usual(minutes=5, frames=24_000, workers=max(1, cores - 2))
    return Usual(minutes=320, frames=9_600, workers=1)


def main() -> int:
    """Run the command line."""
    options = _parser().parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    bank = folder / "bank"
    make_bank(bank, options.utterances, options.seed, os.cpu_count() or 1)
    tokenizer = folder / "tokenizer.json"
    if options.begin_from is not None:
        tokenizer = options.begin_from / "tokenizer.json"
    elif not tokenizer.exists():
        make_tokenizer(tokenizer)
    device = _device(options.device)
    usual = usual_on(device, os.cpu_count() or 1)
    plan = Plan(
        bank=bank,
        folder=folder,
        tokenizer=tokenizer,
        begin_from=options.begin_from,
        keep_ratio=options.keep,
        minutes=usual.minutes if options.minutes is None else options.minutes,
        wall_minutes=options.wall_minutes,
        learning_rate=options.learning_rate,
        frames=usual.frames if options.frames is None else options.frames,
        threads=options.threads,
        workers=usual.workers if options.workers is None else options.workers,
        device=device,
        seed=options.seed,
    )
    if (folder / CHECKPOINT).exists():
        print(f"going on from {folder / CHECKPOINT}", file=sys.stderr)
    print(Trainer(plan).run())
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    say = parser.add_argument
    say(
        "--from", dest="begin_from", type=Path, metavar="FOLDER", help="weights to go on from, as models/demo"
    )
    say(
        "--keep",
        type=float,
        default=0.0,
        metavar="RATIO",
        help="of these weights in what is exported, 0 to 1",
    )
    say("--folder", type=Path, default=ROOT / "var" / "demo_model", help="where to work")
    say("--utterances", type=int, default=64_000, help="in the bank")
    say("--minutes", type=float, help="of CPU time, all processes, or with a GPU of the clock (320, 5)")
    say("--wall-minutes", type=float, default=math.inf, help="end by then, with the work that was possible")
    say("--learning-rate", type=float, default=1.3e-3, help="at its highest; to go on, about half")
    say("--frames", type=int, help="of 10 ms in a step (9600, with a GPU 24000)")
    say("--threads", type=int, default=os.cpu_count() or 1, help="of the trainer")
    say("--workers", type=int, help="processes that make batches (1, with a GPU two less than cores)")
    say("--device", default="auto", choices=("auto", "cpu", "cuda"))
    say("--seed", type=int, default=1)
    return parser


def _device(wanted: str) -> str:
    import torch

    if wanted != "auto":
        return wanted
    return "cuda" if torch.cuda.is_available() else "cpu"


if __name__ == "__main__":
    raise SystemExit(main())
