"""Whisper's encoder and decoder in PyTorch, small, with every weight named as CTranslate2 names it.

Before each layer a norm, GELU, two convolutions in front, sinusoids as the encoder's positions, learnt ones as the
decoder's, one matrix for tokens in and out. `weights` therefore writes and reads by name alone.

Beside Whisper's own output the net tells two things that synthetic speech has free labels for, and without which
training stays on a plateau: the phoneme of every 20 ms, and where the decoder's last layer looks for each token.

Source: A. Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), section 2.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.nn import functional

MELS, FRAMES, POSITIONS = 80, 1500, 448
"""Of the encoder's input; most of its output, 20 ms each; most tokens."""
ALIGNMENT_HEADS = 2
"""Of the decoder's last layer: taught to look at the word that is being written, and used for word times."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a net is."""

    tokens: int
    width: int = 192
    heads: int = 3
    encoder_layers: int = 4
    decoder_layers: int = 2


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What the net makes of a batch."""

    tokens: Any
    """``[batch, tokens, vocabulary]``: scores of the next token."""
    phonemes: Any
    """``[batch, frames, phonemes]``: scores."""
    looked_at: Any
    """``[batch, ALIGNMENT_HEADS, tokens, frames]``: attention while the next token was sought; sums to 1."""


class Norm(nn.Module):
    """Layer norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))
        self.beta = nn.Parameter(torch.zeros(width))

    def forward(self, x: Any) -> Any:
        """``[…, width]`` → the same."""
        return functional.layer_norm(x, self.gamma.shape, self.gamma, self.beta)


class Attention(nn.Module):
    """What is added to `x` from itself, or from `memory` where it is made for one."""

    def __init__(self, width: int, heads: int, *, of_memory: bool = False) -> None:
        super().__init__()
        self.layer_norm = Norm(width)
        parts = (width, 2 * width, width) if of_memory else (3 * width, width)
        for number, outputs in enumerate(parts):
            self.add_module(f"linear_{number}", nn.Linear(width, outputs))
        self._heads, self._of_memory = heads, of_memory

    def forward(self, x: Any, memory: Any = None, mask: Any = None) -> tuple[Any, Any]:
        """What is to be added, and the attention ``[batch, heads, to, from]``."""
        x = self.layer_norm(x)
        if self._of_memory:
            query, (key, value) = self.linear_0(x), self.linear_1(memory).chunk(2, -1)
            out = self.linear_2
        else:
            query, key, value = self.linear_0(x).chunk(3, -1)
            out = self.linear_1
        query, key, value = (
            one.unflatten(-1, (self._heads, -1)).transpose(1, 2) for one in (query, key, value)
        )
        # Plain products: on a CPU half as long as scaled_dot_product_attention, whose way back is slow.
        scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        attention = (scores if mask is None else scores + mask).softmax(-1)
        return out((attention.to(value.dtype) @ value).transpose(1, 2).flatten(-2)), attention


class FeedForward(nn.Module):
    """The other half of a layer."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer_norm = Norm(width)
        self.linear_0, self.linear_1 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Any) -> Any:
        """What is to be added."""
        return self.linear_1(functional.gelu(self.linear_0(self.layer_norm(x))))


class EncoderLayer(nn.Module):
    """Attention, then the other half."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attention = Attention(shape.width, shape.heads)
        self.ffn = FeedForward(shape.width)

    def forward(self, x: Any) -> Any:
        """``[batch, frames, width]`` → the same."""
        x = x + self.self_attention(x)[0]
        return x + self.ffn(x)


class DecoderLayer(nn.Module):
    """The same, with a look at the encoder's output in between."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.self_attention = Attention(shape.width, shape.heads)
        self.ffn = FeedForward(shape.width)
        self.attention = Attention(shape.width, shape.heads, of_memory=True)

    def forward(self, x: Any, memory: Any, mask: Any) -> tuple[Any, Any]:
        """``[batch, tokens, width]`` → the same, and where it looked."""
        x = x + self.self_attention(x, mask=mask)[0]
        seen, looked_at = self.attention(x, memory)
        x = x + seen
        return x + self.ffn(x), looked_at


class Encoder(nn.Module):
    """Features → what was heard."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(MELS, shape.width, 3, padding=1)
        self.conv2 = nn.Conv1d(shape.width, shape.width, 3, stride=2, padding=1)
        self.position_encodings = Positions(sinusoids(FRAMES, shape.width), is_learnt=False)
        self._layers = _numbered(self, [EncoderLayer(shape) for _ in range(shape.encoder_layers)])
        self.layer_norm = Norm(shape.width)

    def forward(self, features: Any) -> Any:
        """``[batch, 80, 2 * frames]`` → ``[batch, frames, width]``."""
        x = functional.gelu(self.conv2(functional.gelu(self.conv1(features)))).transpose(1, 2)
        x = self.position_encodings(x)
        for name in self._layers:
            x = getattr(self, name)(x)
        return self.layer_norm(x)


class Decoder(nn.Module):
    """Tokens so far, and what was heard → scores of the next."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embeddings = nn.Embedding(shape.tokens, shape.width)
        nn.init.normal_(self.embeddings.weight, std=shape.width**-0.5)
        self.position_encodings = Positions(torch.randn(POSITIONS, shape.width) * 0.01, is_learnt=True)
        self._layers = _numbered(self, [DecoderLayer(shape) for _ in range(shape.decoder_layers)])
        self.layer_norm = Norm(shape.width)

    def forward(self, tokens: Any, memory: Any) -> tuple[Any, Any]:
        """``[batch, tokens]`` → ``[batch, tokens, vocabulary]``, and where the last layer looked."""
        length = tokens.shape[1]
        # Not infinite: rows of half precision stay numbers.
        mask = torch.full((length, length), -1e4, device=tokens.device).triu(1)
        x, looked_at = self.position_encodings(self.embeddings(tokens)), None
        for name in self._layers:
            x, looked_at = getattr(self, name)(x, memory, mask)
        return self.layer_norm(x) @ self.embeddings.weight.T, looked_at


class Positions(nn.Module):
    """Adds to each place what tells it from the others."""

    def __init__(self, encodings: Any, *, is_learnt: bool) -> None:
        super().__init__()
        self.encodings = nn.Parameter(encodings, requires_grad=is_learnt)

    def forward(self, x: Any) -> Any:
        """``[batch, places, width]`` → the same."""
        return x + self.encodings[: x.shape[1]]


class Net(nn.Module):
    """Whisper, and the phonemes."""

    def __init__(self, shape: Shape, phonemes: int) -> None:
        """`phonemes`: how many to tell apart; their layer helps in training and is not exported."""
        super().__init__()
        self.encoder, self.decoder = Encoder(shape), Decoder(shape)
        self.phonemes = nn.Linear(shape.width, phonemes)

    def forward(self, features: Any, tokens: Any) -> Heard:
        """``float32[batch, 80, frames]`` and the tokens so far, ``int64[batch, tokens]``."""
        memory = self.encoder(features)
        scores, looked_at = self.decoder(tokens, memory)
        return Heard(scores, self.phonemes(memory), looked_at[:, :ALIGNMENT_HEADS])


def sinusoids(length: int, width: int) -> Any:
    """``float32[length, width]``: sines, then cosines, of wavelengths from 2π to 20 000π."""
    steps = torch.exp(-math.log(10_000) / (width // 2 - 1) * torch.arange(width // 2))
    angles = torch.arange(length)[:, None] * steps[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def _numbered(parent: nn.Module, layers: list[nn.Module]) -> list[str]:
    names = [f"layer_{number}" for number in range(len(layers))]
    for name, layer in zip(names, layers, strict=True):
        parent.add_module(name, layer)
    return names
