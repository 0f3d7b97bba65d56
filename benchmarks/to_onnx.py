"""Writing ONNX from the program beside torch's own exporters."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import torch
from torch import nn

from benchmarks.text import ms, table
from benchmarks.timing import side_by_side
from dse.network import Network
from dse.presets import load_preset, preset_names
from dse.runtime.load import build
from dse.runtime.onnx import to_onnx


def main() -> None:
    """Export each preset, from module to the bytes of a model."""
    print("module to the bytes of an ONNX file, ms\n")
    dynamo = find_spec("onnxscript") is not None
    if not dynamo:
        print("torch.onnx.export(dynamo=True) needs onnxscript, which is not installed: skipped\n")
    exporters: dict[str, Callable[[Network, nn.Module], int]] = {
        "dse": _ours,
        "torch.onnx.export(dynamo=False)": partial(_torch, dynamo=False),
    }
    if dynamo:
        exporters["torch.onnx.export(dynamo=True)"] = partial(_torch, dynamo=True)
    rows = []
    for name in preset_names():
        network = load_preset(name)
        model = build(network).eval()
        runs = {n: partial(export, network, model) for n, export in exporters.items()}
        try:
            times = side_by_side(runs, rounds=5)
        except Exception as error:  # an exporter that cannot is a result as well
            rows.append((name, *["-"] * len(runs), f"{type(error).__name__}", ""))
            continue
        others = [runner for runner in runs if runner != "dse"]
        ratio = times.ratio(times.fastest(*others), "dse")
        size = f"{runs['dse']() / 1e6:.1f}"
        rows.append((name, *(ms(times.median(n)) for n in runs), str(ratio), size))
    table(("network", *exporters, "times faster", "MB"), rows)


def _ours(network: Network, model: nn.Module) -> int:
    return len(to_onnx(network, model.state_dict()).SerializeToString(deterministic=True))


def _torch(network: Network, model: nn.Module, dynamo: bool) -> int:
    file = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, (torch.zeros(1, *network.input),), file, dynamo=dynamo, verbose=False
        )
    return file.tell()
