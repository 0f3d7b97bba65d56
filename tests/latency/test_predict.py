"""Predictions: near the truth of a made-up machine, additive, and honest about the unknown."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from dse.ir import Shape
from dse.latency.kernels import network_kernels
from dse.latency.predict import Predictor
from dse.latency.profile import Profile
from dse.network import Network
from dse.presets import load_preset
from tests.latency.profiles import LAYOUT, made_up, specimens, true_ms

PRESETS = ("squeezenet", "mobilenet-v2", "shufflenet-v1", "resnet-18", "hl-cnn")


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor(made_up())


def error(predictor: Predictor, network: Network) -> float:
    return predictor.network(network).ms / true_ms(network) - 1


def test_designs_never_measured_are_predicted_well(predictor: Predictor) -> None:
    errors = np.abs([error(predictor, network) for network in specimens(9, 20)])
    assert np.median(errors) < 0.03
    assert errors.max() < 0.15


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_predicted_well(predictor: Predictor, name: str) -> None:
    assert abs(error(predictor, load_preset(name))) < 0.15


def test_nine_of_ten_lie_within_the_interval(predictor: Predictor) -> None:
    found = [(predictor.network(network), true_ms(network)) for network in specimens(9, 20)]
    assert sum(p.low_ms <= truth <= p.high_ms for p, truth in found) >= 16
    assert all(p.low_ms < p.ms < p.high_ms for p, _ in found)


@pytest.mark.parametrize("name", PRESETS)
def test_a_network_is_its_constant_and_its_blocks(predictor: Predictor, name: str) -> None:
    network = load_preset(name)
    shapes: list[Shape] = []
    total = predictor.base_ms
    for scope, node, sources in zip(
        network.lower().body, network.nodes, network.sources(), strict=True
    ):
        inputs = tuple(shapes[i] if i >= 0 else network.input for i in sources)
        own = predictor.block_ms(node.block, inputs, network.classes)
        assert own >= 0
        total += own
        shapes.append(scope.output.shape)  # type: ignore[union-attr]
    assert predictor.network(network).ms == pytest.approx(total, rel=1e-9)


def test_two_predictors_agree_to_the_last_digit() -> None:
    network = load_preset("squeezenet")
    assert Predictor(made_up()).network(network) == Predictor(made_up()).network(network)


def without(kind: str) -> Profile:
    """The profile of a machine on which a kind of kernel was never measured."""
    whole = made_up()
    return replace(
        whole,
        kernels=tuple(time for time in whole.kernels if time.kernel.kind != kind),
        networks=tuple(
            n for n in whole.networks if all(kernel.kind != kind for kernel, _ in n.kernels)
        ),
    )


def test_a_kind_never_seen_is_named_and_widens_the_interval(predictor: Predictor) -> None:
    network = load_preset("mobilenet-v2")
    assert any(k.kind == "depthwise" for part in network_kernels(network, LAYOUT) for k in part)
    known, guessed = predictor.network(network), Predictor(without("depthwise")).network(network)
    assert known.unseen == ()
    assert guessed.unseen == ("depthwise",)
    assert guessed.high_ms / guessed.low_ms > 1.2 * known.high_ms / known.low_ms


def test_what_is_far_from_all_that_was_measured_is_less_sure(predictor: Predictor) -> None:
    near, far = predictor.network(load_preset("resnet-18")), predictor.network(_immense())
    assert far.high_ms / far.low_ms > near.high_ms / near.low_ms


def _immense() -> Network:
    return load_preset("resnet-18").scaled(8).resized(input=Shape((3, 896, 896)))


def test_a_disturbed_measurement_is_outvoted(predictor: Predictor) -> None:
    """Every twentieth kernel took five times as long, as when another program ran."""
    times = tuple(
        replace(time, us=5 * time.us) if number % 20 == 0 else time
        for number, time in enumerate(made_up().kernels)
    )
    disturbed = Predictor(replace(made_up(), kernels=times))
    errors = [
        abs(disturbed.network(network).ms / predictor.network(network).ms - 1)
        for network in specimens(9, 20)
    ]
    assert np.median(errors) < 0.1


def test_predicting_loads_no_runtime() -> None:
    script = (
        "import sys; import dse.latency.predict, dse.latency.profile;"
        "from dse.presets import load_preset;"
        "print([m for m in ('torch', 'onnx', 'onnxruntime', 'optuna') if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
