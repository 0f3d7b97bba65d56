"""An export in a format other than ONNX, and its check."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.atomic import atomically
from dse.network import Network
from dse.runtime.export.formats import pack, suffix_of, unpack
from dse.runtime.onnx import facts_of
from dse.runtime.onnx.check import torch_scores

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Exported:
    """A file, and how far its runtime strays from torch on random images.

    Attributes:
        format: see `format_names`.
        path: the file.
        bytes: its size.
        max_abs_error: largest difference between two scores.
        max_rel_error: that difference as a part of torch's largest score.
    """

    format: str
    path: Path
    bytes: int
    max_abs_error: float
    max_rel_error: float

    def document(self) -> dict[str, Any]:
        """As `dse generate --json` prints it."""
        return {**vars(self), "path": str(self.path)}


def write_export(
    name: str, network: Network, module: nn.Module, stem: Path, metadata: Mapping[str, str]
) -> Exported:
    """Write a module of a network in a format, beside `stem`, and compare it with torch.

    Raises:
        MissingExtra: the package that writes it is not installed.
    """
    module = copy.deepcopy(module).cpu().eval()
    content = pack(name, module, network, {**facts_of(network), **metadata})
    images = np.random.default_rng(0).standard_normal((2, *network.input), np.float32)
    ours, theirs = unpack(name, content).scores(images), torch_scores(module, images)
    worst, largest = float(np.abs(ours - theirs).max()), float(np.abs(theirs).max())
    path = stem.with_name(stem.name + suffix_of(name))
    with atomically(path) as draft:
        draft.write_bytes(content)
    return Exported(name, path, len(content), worst, worst / largest if largest else worst)
