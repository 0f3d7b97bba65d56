"""A trained network's files: source, design and ONNX with its weights."""

from __future__ import annotations

from dse.experiments.cell import Cell
from dse.experiments.experiment import Experiment
from dse.generate import Generated, generate
from dse.runtime.export.preprocessing import Preprocessing


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
    preprocessing = Preprocessing(
        dataset=experiment.data["name"],
        digest=experiment.data["digest"],
        synthetic=experiment.data["synthetic"],
        classes=tuple(experiment.classes),
        grayscale=experiment.data["channels"] == 1 or network.input.channels == 1,
        mean=tuple(result.mean),
        std=tuple(result.std),
    )
    metadata = {
        "experiment": experiment.name,
        "fold": "" if cell.fold is None else str(cell.fold),
        "seed": str(cell.seed),
    }
    return generate(
        network,
        experiment.folder / cell.folder,
        formats=("onnx",),
        module=module,
        preprocessing=preprocessing,
        metadata=metadata,
    )
