"""A trained network's files: source, design and ONNX with its weights."""

from __future__ import annotations

from dse.experiments.cell import Cell
from dse.experiments.experiment import Experiment
from dse.generate import Generated, generate


def export(experiment: Experiment, cell: Cell) -> Generated:
    """Write ``NAME.py``, ``NAME.json`` and ``NAME.onnx`` beside a finished cell's result.

    Raises:
        DataError: the weights cannot be read, or the files not be written.
    """
    from dse.runtime.load import build
    from dse.runtime.weights import load_weights

    network = experiment.plan.model(cell.model).network
    result = experiment.results[cell]
    module = build(network)
    load_weights(module, network, experiment.weights(cell))
    metadata = {
        "dataset": experiment.data["name"],
        "dataset_digest": experiment.data["digest"],
        "class_names": ",".join(experiment.classes),
        "mean": ",".join(f"{value:.6f}" for value in result.mean),
        "std": ",".join(f"{value:.6f}" for value in result.std),
        "experiment": experiment.name,
        "fold": "" if cell.fold is None else str(cell.fold),
        "seed": str(cell.seed),
    }
    folder = experiment.folder / cell.folder
    return generate(network, folder, onnx=True, module=module, metadata=metadata)
