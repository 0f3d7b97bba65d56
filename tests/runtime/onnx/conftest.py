"""Weights that show errors, and the one way results are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from torch import nn

from dse.runtime.onnx.check import open_session

Array = NDArray[np.float32]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Emitted modules go to a folder of the test run."""
    monkeypatch.setenv("DSE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(scope="session")
def run_onnx() -> Callable[[onnx.ModelProto, Array], Array]:
    """Check a model strictly, its declared shapes included, and run it."""

    def run(model: onnx.ModelProto, images: Array) -> Array:
        onnx.checker.check_model(model, full_check=True)
        [scores] = open_session(model.SerializeToString()).run(None, {"image": images})
        return np.asarray(scores)

    return run


@pytest.fixture(scope="session")
def error() -> Callable[[Any, Any], float]:
    """The largest difference, as a part of the largest value where that is above 1."""

    def between(ours: Any, theirs: Any) -> float:
        ours, theirs = np.asarray(ours), np.asarray(theirs)
        assert ours.shape == theirs.shape
        return float(np.abs(ours - theirs).max() / max(1, np.abs(theirs).max()))

    return between


@pytest.fixture(scope="session")
def randomised() -> Callable[[nn.Module], nn.Module]:
    """Weights that carry a signal through any depth, and statistics unlike those of a fresh module.

    With torch's own initial weights a signal fades on its way, and with it the trace of an error.
    """

    def randomise(module: nn.Module, seed: int = 0) -> nn.Module:
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, tensor in module.state_dict().items():
                if name.endswith("running_var"):
                    tensor.uniform_(0.5, 2, generator=generator)
                elif tensor.dim() > 1:
                    fan_in = tensor[0].numel()
                    tensor.normal_(0, (2 / fan_in) ** 0.5, generator=generator)
                elif tensor.is_floating_point():
                    tensor.uniform_(0.2, 1.2, generator=generator)
        return module.eval()

    return randomise
