"""Training: AdamW on one cosine, a running mean of the weights, checkpoints to go on from.

Three losses. The next token; the phoneme of every 20 ms; and how much of the attention of two heads lies on the
word that is being written. Work is counted in CPU minutes, those of the process that makes the batches included
(on a GPU: minutes of the clock).
"""

from __future__ import annotations

import copy
import math
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import Value
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from demo_model.bank import Bank
from demo_model.net import Heard, Net, Shape
from demo_model.tokenizer import load_tokenizer, vocabulary_of
from demo_model.weights import Weights, read_weights, write_weights
from demo_model.windows import IGNORED, Batch, Windows, mel_bank

MEAN_DECAY = 0.999
WARM_STEPS = 100
PHONEMES_WEIGHT, POINTING_WEIGHT = 0.3, 0.3
YOUNG = 0.3
"""Of the work from nothing: only windows without padding, and phonemes count three times."""
CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train."""

    bank: Path
    folder: Path
    """For the checkpoint and, in ``weights``, what it exports."""
    tokenizer: Path
    begin_from: Path | None = None
    """A folder of weights; None begins with nothing."""
    keep_ratio: float = 0.0
    """Of those weights in what is exported."""
    minutes: float = 320
    """Of work."""
    wall_minutes: float = math.inf
    """The end is reached by then, with as much work as was possible."""
    learning_rate: float = 1.0e-3
    frames: int = 9_600
    """Of features in a step."""
    checkpoint_minutes: float = 5
    threads: int = 1
    workers: int = 1
    device: str = "cpu"
    seed: int = 1


class Trainer:
    """A net on its way."""

    def __init__(self, plan: Plan) -> None:
        """From the plan's checkpoint if there is one, else from what the plan begins with."""
        torch.manual_seed(plan.seed)
        torch.set_num_threads(plan.threads)
        self._plan = plan
        self._bank = Bank(plan.bank)
        self._tokenizer = load_tokenizer(plan.tokenizer)
        shape = Shape(len(vocabulary_of(self._tokenizer)))
        self._net = Net(shape, 1 + len(self._bank.phoneme_names())).to(plan.device)
        self._heads = shape.heads
        if plan.begin_from is not None:
            load_into(self._net, read_weights(plan.begin_from)[0])
        self._mean = copy.deepcopy(self._net).requires_grad_(False)
        trained = [weights for weights in self._net.parameters() if weights.requires_grad]
        self._optimizer = torch.optim.AdamW(trained, betas=(0.9, 0.98), weight_decay=0.01)
        self._step, self._worked_s, self._clock_s = 0, 0.0, 0.0
        self._losses: list[float] = []
        self._progress = Value("d", 0.0)
        self._resume()

    def run(self) -> Path:
        """Train to the end of the plan; the folder of the exported weights.

        An interruption loses what came after the last checkpoint; the same plan goes on from there.
        """
        saved_s, last = self._worked_s, time.monotonic()
        for batch in self._batches():
            cpu = time.process_time()
            self._learn(batch)
            now = time.monotonic()
            passed_s, last = now - last, now
            self._clock_s += passed_s
            is_cpu = self._plan.device == "cpu"
            self._worked_s += time.process_time() - cpu + batch.cpu_s if is_cpu else passed_s
            self._progress.value = self._share_done()
            is_over = self._progress.value >= 1
            if self._step % 50 == 0 or is_over:
                self._tell()
            if is_over or self._worked_s - saved_s > 60 * self._plan.checkpoint_minutes:
                self.save()
                saved_s = self._worked_s
            if is_over:
                break
        return self.weights_folder

    @property
    def weights_folder(self) -> Path:
        """Where exported weights are."""
        return self._plan.folder / "weights"

    def save(self) -> None:
        """Write the checkpoint, and the mean weights as a CTranslate2 folder."""
        self._plan.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "net": self._net.state_dict(),
            "mean": self._mean.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "work": (self._step, self._worked_s, self._clock_s),
        }
        unfinished = self._plan.folder / f"{CHECKPOINT}.part"
        torch.save(state, unfinished)
        unfinished.rename(self._plan.folder / CHECKPOINT)
        tokenizer = self._plan.tokenizer.read_text(encoding="utf-8")
        weights = weights_of(self._mean)
        if self._plan.begin_from is not None:
            weights = blended(weights, read_weights(self._plan.begin_from)[0], self._plan.keep_ratio)
        write_weights(weights, self._heads, tokenizer, self.weights_folder)

    def _resume(self) -> None:
        path = self._plan.folder / CHECKPOINT
        if path.exists():
            state = torch.load(path, map_location=self._plan.device)
            self._net.load_state_dict(state["net"])
            self._mean.load_state_dict(state["mean"])
            self._optimizer.load_state_dict(state["optimizer"])
            self._step, self._worked_s, self._clock_s = state["work"]
            self._progress.value = self._share_done()

    def _share_done(self) -> float:
        """Of the plan, by the work or the clock, whichever is further."""
        plan = self._plan
        return min(1.0, max(self._worked_s / 60 / plan.minutes, self._clock_s / 60 / plan.wall_minutes))

    def _batches(self) -> Iterator[Batch]:
        dataset = _Batches(self._plan, self._bank, self._progress, self._step)
        workers = self._plan.workers
        ahead = 6 if workers else None
        loader: Any = DataLoader(dataset, batch_size=None, num_workers=workers, prefetch_factor=ahead)
        return iter(loader)

    def _learn(self, batch: Batch) -> None:
        progress = self._progress.value
        warm = min(1.0, (self._step + 1) / WARM_STEPS)
        for group in self._optimizer.param_groups:
            group["lr"] = (
                self._plan.learning_rate * warm * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)
            )
        tensors = {name: torch.from_numpy(array).to(self._plan.device) for name, array in _arrays(batch)}
        with torch.autocast(self._plan.device, torch.bfloat16, enabled=self._plan.device != "cpu"):
            heard = self._net(tensors["features"], tensors["given"])
        losses = losses_of(heard, tensors)
        is_young = self._plan.begin_from is None and progress < YOUNG
        # Going on, the phonemes' layer begins with nothing: it is to learn before it teaches.
        weight = PHONEMES_WEIGHT * (3 if is_young else 1 if self._plan.begin_from is None else warm)
        (losses[0] + weight * losses[1] + POINTING_WEIGHT * losses[2]).backward()
        torch.nn.utils.clip_grad_norm_(self._net.parameters(), 1.0)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._step += 1
        decay = min(MEAN_DECAY, (self._step + 1) / (self._step + 20))
        with torch.no_grad():
            torch._foreach_lerp_([*self._mean.parameters()], [*self._net.parameters()], 1 - decay)
        found = [float(loss.detach()) for loss in losses]
        self._losses = [
            0.98 * before + 0.02 * now for before, now in zip(self._losses or found, found, strict=True)
        ]

    def _tell(self) -> None:
        tokens, phonemes, pointing = self._losses
        print(
            f"step {self._step}: {100 * self._progress.value:.1f} %, {self._worked_s / 60:.1f} min of work; "
            f"loss of tokens {tokens:.4f}, phonemes {phonemes:.3f}, pointing {pointing:.3f}",
            file=sys.stderr,
            flush=True,
        )


def losses_of(heard: Heard, tensors: dict[str, Any]) -> tuple[Any, Any, Any]:
    """Of tokens, of phonemes, and of where two heads looked: each a mean."""
    tokens = functional.cross_entropy(
        heard.tokens.float().flatten(0, 1), tensors["wanted"].flatten(), ignore_index=IGNORED
    )
    phonemes = functional.cross_entropy(
        heard.phonemes.float().flatten(0, 1), tensors["phonemes"].flatten(), ignore_index=IGNORED
    )
    spoken = tensors["spoken"]
    on_word = (heard.looked_at.float() * spoken[:, None]).sum(-1)
    belongs = spoken.any(-1)[:, None].expand_as(on_word)
    pointing = -(on_word + 1e-4).log()[belongs].mean() if belongs.any() else on_word.sum() * 0
    return tokens, phonemes, pointing


def load_into(net: Net, weights: Weights) -> None:
    """Fill a net with weights by CTranslate2's names; its phonemes' layer, which no folder has, stays as it is.

    Raises:
        ValueError: the weights are of another shape than the net.
    """
    own = {name: values for name, values in net.state_dict().items() if not name.startswith("phonemes.")}
    found = {name.replace("/", "."): torch.from_numpy(values) for name, values in weights.items()}
    differing = {name for name in own.keys() | found.keys() if _size(own, name) != _size(found, name)}
    if differing:
        raise ValueError(f"weights of another shape than the net's: {', '.join(sorted(differing)[:3])} …")
    net.load_state_dict(found, strict=False)


def weights_of(net: Net) -> Weights:
    """A net's weights by CTranslate2's names; they share memory with it on a CPU."""
    return {
        name.replace(".", "/"): values.detach().float().cpu().numpy()
        for name, values in net.state_dict().items()
        if not name.startswith("phonemes.")
    }


def blended(trained: Weights, before: Weights, keep_ratio: float) -> Weights:
    """What was learnt, with a share of what was there before, so that little of that is lost.

    Source: M. Wortsman et al., "Robust fine-tuning of zero-shot models" (2022).
    """
    return {
        name: (values + np.float32(keep_ratio) * (before[name] - values)).astype(np.float32)
        for name, values in trained.items()
    }


def _size(tensors: dict[str, Any], name: str) -> tuple[int, ...] | None:
    return tuple(tensors[name].shape) if name in tensors else None


def _arrays(batch: Batch) -> Iterator[tuple[str, Any]]:
    for name in ("features", "given", "wanted", "phonemes", "spoken"):
        yield name, getattr(batch, name)


class _Batches(IterableDataset[Batch]):
    """Batches without end, made in worker processes."""

    def __init__(self, plan: Plan, bank: Bank, progress: Any, seed: int) -> None:
        self._plan, self._bank, self._progress, self._seed = plan, bank, progress, seed

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        worker = get_worker_info()
        windows = Windows(
            self._bank,
            load_tokenizer(self._plan.tokenizer),
            mel_bank(),
            1_000 * self._plan.seed + 100_003 * self._seed + (worker.id if worker else 0),
        )
        while True:
            is_young = self._plan.begin_from is None and self._progress.value < YOUNG
            yield windows.batch(self._plan.frames, own_length_only=is_young)
