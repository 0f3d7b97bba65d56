"""What one image takes: measured when nothing trains any more, one model after the other."""

from __future__ import annotations

import json
from dataclasses import asdict

from dse.atomic import write_atomically
from dse.experiments.experiment import INFERENCE, Experiment


def measure(experiment: Experiment) -> None:
    """Measure the models that finished a training and have not been measured, and keep it."""
    from dse.devices.inference import measure_inference

    found = dict(experiment.inference)
    for model in experiment.plan.models:
        if model.name not in found and any(experiment.of(model.name)):
            found[model.name] = asdict(measure_inference(model.network))
    if found != experiment.inference:
        write_atomically(experiment.folder / INFERENCE, json.dumps(found, indent=1) + "\n")
