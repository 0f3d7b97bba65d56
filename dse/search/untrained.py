"""The end of a search that trained nothing: the winner's files, with fresh weights."""

from __future__ import annotations

from pathlib import Path

from dse.generate import Generated, generate
from dse.runs import Run
from dse.runtime.export.formats import FRESH, ONNX
from dse.runtime.load import build
from dse.runtime.train import seeded
from dse.search.finish import pick_winner


def write_winner(run: Run, out: Path, seed: int) -> Generated:
    """Write the winner's source, design and ONNX to `out`, and keep it with the run.

    The ONNX file has fresh weights, those of `seed`, and its metadata say so: what was measured of
    the design says nothing about any.

    Raises:
        InvalidValue: no trial finished, or another process is at the run.
    """
    with run.held():
        return _write_winner(run, out, seed)


def _write_winner(run: Run, out: Path, seed: int) -> Generated:
    winner = pick_winner(run)
    network = winner.network
    with seeded(seed):
        module = build(network)
    metadata = {"run": run.name, "trial": str(winner.trial), **FRESH}
    generated = generate(network, out, formats=(ONNX,), module=module, metadata=metadata)
    run.save_settings(
        {
            **run.settings,
            "winner": winner.trial,
            "generated": generated.files(),
            "check": generated.check,
        }
    )
    return generated
