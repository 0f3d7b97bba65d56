"""A training as a tutorial writes it: ``python -m benchmarks.plain TASK.json``.

Images are opened by Pillow whenever they are needed, a DataLoader makes batches of them, and torch
is left at its defaults. Imports nothing of dse.
"""

from __future__ import annotations

import importlib.util
import json
import math
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset


class ImageFiles(Dataset[tuple[Tensor, int]]):
    """Image files with their labels, normalised; mirrored and shifted where they are learned."""

    def __init__(self, files: list[tuple[str, int]], task: dict[str, Any], augment: bool) -> None:
        self.files = files
        self.size = task["size"]
        self.shift = round(task["shift"] * task["size"])
        self.mean = torch.tensor(task["mean"]).view(3, 1, 1)
        self.std = torch.tensor(task["std"]).view(3, 1, 1)
        self.augment = augment

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path, label = self.files[index]
        with Image.open(path) as file:
            image = file.convert("RGB").resize((self.size, self.size), Image.Resampling.LANCZOS)
        if self.augment:
            if random.random() < 0.5:
                image = ImageOps.mirror(image)
            moved = (random.randint(-self.shift, self.shift) for _ in range(2))
            x, y = moved
            image = image.transform(image.size, Image.Transform.AFFINE, (1, 0, x, 0, 1, y))
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return (pixels - self.mean) / self.std, label


def main() -> None:
    """Train the network of a task, and print its last accuracy and loss."""
    task = json.loads(Path(sys.argv[1]).read_text())
    torch.manual_seed(0)
    model = created(task["module"], task["classes"])
    batch = task["batch_size"]
    train = DataLoader(ImageFiles(task["train"], task, True), batch_size=batch, shuffle=True)
    val = DataLoader(ImageFiles(task["val"], task, False), batch_size=batch)
    criterion = nn.CrossEntropyLoss(label_smoothing=task["label_smoothing"])
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=task["learning_rate"], weight_decay=task["weight_decay"]
    )
    steps, warmup = task["epochs"] * len(train), task["warmup_epochs"] * len(train)
    scheduler = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, (1 + math.cos(math.pi * step / steps)) / 2)
    )
    for _ in range(task["epochs"]):
        model.train()
        for images, labels in train:
            optimizer.zero_grad()
            loss = criterion(model(images), labels)
            loss.backward()
            optimizer.step()
            scheduler.step()
        model.eval()
        right, total = 0, 0.0
        with torch.no_grad():
            for images, labels in val:
                logits = model(images)
                right += (logits.argmax(dim=1) == labels).sum().item()
                total += nn.functional.cross_entropy(logits, labels, reduction="sum").item()
        accuracy = right / len(val.dataset)  # type: ignore[arg-type]
        print(f"accuracy {accuracy:.3f} loss {total / len(val.dataset):.3f}")  # type: ignore[arg-type]


def created(path: str, classes: int) -> nn.Module:
    """The network of an emitted module."""
    spec = importlib.util.spec_from_file_location("network", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    model: nn.Module = module.create_model(classes)
    return model


if __name__ == "__main__":
    main()
