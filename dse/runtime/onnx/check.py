"""Whether an ONNX file is valid and computes what torch computes."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dse.errors import InvalidDesign
from dse.network import Network

if TYPE_CHECKING:
    import onnxruntime
    from torch import nn

_ERRORS_ONLY = 3
"""ONNX Runtime's log severity: its warnings are advice to its developers."""


@dataclass(frozen=True)
class OnnxCheck:
    """An ONNX file that passed ONNX's checker, and how far ONNX Runtime strays from torch on it.

    Attributes:
        max_abs_error: largest difference between two scores.
        max_rel_error: that difference as a part of torch's largest score.
        opset: version of the operators.
        bytes: size of the file.
        nodes: number of nodes, before a runtime fuses any.
    """

    max_abs_error: float
    max_rel_error: float
    opset: int
    bytes: int
    nodes: int


def check_onnx(
    path_or_bytes: str | Path | bytes,
    module: nn.Module,
    network: Network,
    *,
    seed: int = 0,
    batch: int = 2,
) -> OnnxCheck:
    """Check a file by ONNX's checker, shapes included, and against torch on random images.

    Both evaluate on the CPU, whatever device the module is on: the faster arithmetic of other
    devices would show as errors of the file. The module is left as it was.

    Raises:
        InvalidDesign: the file takes or gives other shapes than the network.
        onnx.checker.ValidationError, onnx.shape_inference.InferenceError: the file breaks ONNX's
            rules.
    """
    import onnx

    source = path_or_bytes if isinstance(path_or_bytes, bytes) else os.fspath(path_or_bytes)
    onnx.checker.check_model(source, full_check=True)
    model = onnx.load_from_string(source) if isinstance(source, bytes) else onnx.load(source)
    nodes, opset = len(model.graph.node), model.opset_import[0].version
    del model  # a large network's weights need not be held twice

    session = open_session(source)
    [image], [scores] = session.get_inputs(), session.get_outputs()
    got = f"{image.shape[1:]} -> {scores.shape[1:]}"
    wanted = f"{list(network.input)} -> {[network.classes]}"
    if got != wanted:
        raise InvalidDesign(f"the ONNX file must compute {wanted} for each image, got {got}")

    images = np.random.default_rng(seed).standard_normal((batch, *network.input), np.float32)
    [ours] = session.run(None, {image.name: images})
    theirs = torch_scores(module, images)
    worst = float(np.abs(ours - theirs).max())
    largest = float(np.abs(theirs).max())
    return OnnxCheck(
        max_abs_error=worst,
        max_rel_error=worst / largest if largest else worst,
        opset=opset,
        bytes=len(source) if isinstance(source, bytes) else os.path.getsize(source),
        nodes=nodes,
    )


def open_session(source: str | bytes) -> onnxruntime.InferenceSession:
    """An ONNX Runtime session on one CPU thread that keeps its warnings to itself."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def torch_scores(module: nn.Module, images: NDArray[np.float32]) -> NDArray[Any]:
    """Scores by torch on the CPU, in evaluation mode; the module is left as it was."""
    import torch

    if any(tensor.device.type != "cpu" for tensor in module.state_dict().values()):
        module = copy.deepcopy(module).cpu()
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            scores: NDArray[Any] = module(torch.from_numpy(images)).float().numpy()
    finally:
        for part, training in modes:
            part.training = training
    return scores
