"""A task that a small network learns in seconds, and the network: what trainings are tested on."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from dse.recipes import recipe
from dse.runtime.train import Part, seeded

CLASSES = 3
SHORT = recipe("quick", epochs=2, batch_size=16)


def stripes(images: int, seed: int, side: int = 12) -> Part:
    """Grayscale noise over horizontal, vertical or no stripes: the class, at a random phase."""
    draw = np.random.default_rng(seed)
    labels = np.arange(images) % CLASSES
    pixels = draw.normal(128, 20, size=(images, side, side))
    wave = 60 * np.sign(np.sin(np.arange(side) * np.pi / 2 + 0.1))
    for image, label in zip(pixels, labels, strict=True):
        if label < 2:
            shifted = np.roll(wave, draw.integers(4))
            image += shifted[:, None] if label == 0 else shifted[None, :]
    return Part(pixels.clip(0, 255).astype(np.uint8), labels.astype(np.int64))


def network(channels: int = 3, dropout: float = 0.2, seed: int = 0) -> nn.Module:
    with seeded(seed):
        return nn.Sequential(
            nn.Conv2d(channels, 8, 3, padding=1, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(16, CLASSES),
        )


TRAIN, VAL = stripes(150, seed=1), stripes(60, seed=2)


def equal(first: nn.Module, second: nn.Module) -> bool:
    """Whether two models of one structure have the same weights and buffers, bit for bit."""
    ours, theirs = first.state_dict(), second.state_dict()
    return all(torch.equal(value, theirs[name]) for name, value in ours.items())
