"""Every preset computes what another implementation of its network computes.

A network that nobody else has published is checked against a table of its layers instead, in
`test_layer_tables.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch

from dse.presets import load_preset, preset_names
from dse.runtime.weights.layers import layers_of
from dse.runtime.weights.match import match
from tests.implementations import (
    Maker,
    googlenet_of_the_paper,
    keras,
    lorna,
    mobilenet_v3_ending,
    pytorchcv,
    shufflenet_grouped_first,
)
from tests.modules import on_meta
from tests.presets.test_layer_tables import TABLES
from tests.twins import Recording, images_of, prove_equal, record_keras, record_torch

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

Record = Callable[..., Recording]

# Keras' ResNet has biases before its normalisations, which take them away again.
record_keras_resnet = partial(record_keras, convolution_biases=False)


class Twin(NamedTuple):
    """A preset, its arguments, who else has it, and how that one is made and run."""

    preset: str
    arguments: dict[str, Any]
    source: str
    make: Maker
    record: Record = record_torch
    size: int = 64
    slow: bool = False


def of_pytorchcv(preset: str, name: str, slow: bool = False, **arguments: Any) -> Twin:
    return Twin(preset, arguments, name, pytorchcv(name), slow=slow)


def of_lorna(preset: str, package: str, name: str, slow: bool = False) -> Twin:
    return Twin(preset, {}, package, lorna(package, name), slow=slow)


def of_keras(
    preset: str,
    name: str,
    settings: dict[str, Any] | None = None,
    record: Record = record_keras,
    slow: bool = False,
    **arguments: Any,
) -> Twin:
    """65x65 stays odd through five strides: 33, 17, 9, 5, 3."""
    make = keras(name, **(settings or {}))
    return Twin(preset, arguments, f"keras.{name}", make, record, 65, slow)


PLAIN = {"include_preprocessing": False}

TWINS = [
    of_pytorchcv("squeezenet", "squeezenet_v1_0"),
    of_pytorchcv("squeezenet-1.1", "squeezenet_v1_1"),
    of_pytorchcv("mobilenet-v1", "mobilenet_w1"),
    of_pytorchcv("mobilenet-v1", "mobilenet_w3d4", alpha=0.75),
    of_pytorchcv("mobilenet-v1", "mobilenet_wd2", alpha=0.5),
    of_pytorchcv("mobilenet-v1", "mobilenet_wd4", alpha=0.25),
    # "b" leaves out the expansion of the first block. Other widths are not rounded to eights there.
    of_pytorchcv("mobilenet-v2", "mobilenetv2b_w1"),
    of_pytorchcv("mobilenet-v2", "mobilenetv2_w1", expand_first=True),
    of_keras("mobilenet-v2", "MobileNetV2"),
    *(
        of_keras("mobilenet-v2", "MobileNetV2", {"alpha": alpha}, alpha=alpha)
        for alpha in (0.35, 0.5, 0.75, 1.4)
    ),
    of_pytorchcv("mobilenet-v3-large", "mobilenetv3_large_w1"),
    Twin(
        "mobilenet-v3-large",
        {"alpha": 0.75},
        "mobilenetv3_large_w3d4",
        mobilenet_v3_ending("mobilenetv3_large_w3d4", 120, 720, 1280),
    ),
    of_keras("mobilenet-v3-large", "MobileNetV3Large", PLAIN),
    Twin(
        "mobilenet-v3-small",
        {"last_attention": True},
        "mobilenetv3_small_w1",
        mobilenet_v3_ending("mobilenetv3_small_w1", 96, 576, 1024, attention=True),
    ),
    Twin(
        "mobilenet-v3-small",
        {"alpha": 0.75},
        "mobilenetv3_small_w3d4",
        mobilenet_v3_ending("mobilenetv3_small_w3d4", 72, 432, 1024),
    ),
    of_keras("mobilenet-v3-small", "MobileNetV3Small", PLAIN),
    *(
        of_pytorchcv("shufflenet-v1", f"shufflenet_g{groups}_w1", groups=groups)
        for groups in (1, 2, 3, 4, 8)
    ),
    of_pytorchcv("shufflenet-v1", "shufflenet_g3_wd2", alpha=0.5),
    Twin(
        "shufflenet-v1",
        {"groups": 8, "group_first": True},
        "shufflenet_g8_w1",
        shufflenet_grouped_first("shufflenet_g8_w1", 8, 384),
    ),
    Twin("googlenet", {"variant": "paper"}, "googlenet_pytorch", googlenet_of_the_paper),
    Twin(
        "googlenet",
        {"variant": "torchvision"},
        "googlenet_pytorch",
        lorna("googlenet_pytorch", "googlenet", transform_input=False),
    ),
    of_pytorchcv("resnet-18", "resnet18"),
    of_lorna("resnet-18", "resnet_pytorch", "resnet18"),
    of_pytorchcv("resnet-101", "resnet101b", stride_at="3x3"),
    of_pytorchcv("resnet-101", "resnet101", stride_at="1x1"),
    of_keras("resnet-101", "ResNet101", {}, record_keras_resnet, stride_at="1x1", slow=True),
    of_lorna("resnet-101", "resnet_pytorch", "resnet101", slow=True),
    of_pytorchcv("resnet-152", "resnet152b", stride_at="3x3", slow=True),
    of_pytorchcv("resnet-152", "resnet152", stride_at="1x1"),
    of_pytorchcv("densenet-169", "densenet169"),
    of_keras("densenet-169", "DenseNet169"),
    of_pytorchcv("densenet-201", "densenet201"),
    of_keras("densenet-201", "DenseNet201", slow=True),
    of_pytorchcv("efficientnet-b0", "efficientnet_b0"),
    of_keras("efficientnet-b0", "EfficientNetB0"),
    of_pytorchcv("efficientnet-b4", "efficientnet_b4"),
    of_keras("efficientnet-b4", "EfficientNetB4", slow=True),
    of_pytorchcv("efficientnet-b7", "efficientnet_b7"),
    of_keras("efficientnet-b7", "EfficientNetB7", slow=True),
    of_lorna("vgg-19-bn", "vgg_pytorch", "vgg19_bn"),
]


def parameter(twin: Twin) -> Any:
    settings = [f"{key}={value}" for key, value in twin.arguments.items()]
    name = "-".join([twin.preset, *settings, twin.source])
    return pytest.param(twin, id=name, marks=[pytest.mark.slow] if twin.slow else [])


def network_of(twin: Twin, **changes: Any) -> Any:
    input = f"3x{twin.size}x{twin.size}"
    return load_preset(twin.preset, **{"classes": 10, "input": input, **twin.arguments, **changes})


@pytest.mark.parametrize("twin", [parameter(twin) for twin in TWINS])
def test_a_preset_computes_what_its_twin_computes(twin: Twin) -> None:
    """And a state dict of the twin would be read as what its layers turn out to be."""
    network = network_of(twin)
    torch.manual_seed(0)
    model = twin.make(network)
    moved = prove_equal(network, twin.record(model, images_of(network)))
    if twin.record is record_torch:
        ours, theirs = layers_of(on_meta(network).state_dict()), layers_of(model.state_dict())
        for listed, ordered in ((theirs, True), (sorted(theirs, key=lambda x: x.name), False)):
            found = match(ours, listed, (), ordered=ordered)
            assert {own.name: other.name for own, other in found.pairs} == moved


def test_every_preset_has_a_twin_or_a_table() -> None:
    quick = {twin.preset for twin in TWINS if not twin.slow}
    assert quick & TABLES.keys() == set()
    assert quick | TABLES.keys() == set(preset_names())


# What a twin would not bear: the proof sees each of these differences, though shapes or counts
# agree.
DIFFERENCES = [
    ("resnet-101", "resnet101", {"stride_at": "3x3"}, "layer2.0.bn1"),
    ("resnet-18", "resnet18", {"classes": 11}, "classifier"),
    ("mobilenet-v1", "mobilenet_w1", {"alpha": 0.5}, "stem.conv"),
    ("mobilenet-v2", "mobilenetv2_w1", {}, "stage1.0.depthwise"),
    ("squeezenet", "squeezenet_v1_1", {}, "conv1"),
    ("shufflenet-v1", "shufflenet_g8_w1", {"groups": 8, "group_first": True}, "stage2.0.reduce"),
    ("efficientnet-b0", "efficientnet_b0", {"depth": 1.1}, "stage1.1.depthwise"),
]


@pytest.mark.parametrize(("preset", "name", "changes", "layer"), DIFFERENCES)
def test_the_proof_says_where_two_networks_part(
    preset: str, name: str, changes: dict[str, Any], layer: str
) -> None:
    twin = of_pytorchcv(preset, name)
    recording = record_torch(twin.make(network_of(twin)), images_of(network_of(twin)))
    with pytest.raises(AssertionError, match=rf"^{layer} .* which no layer of the twin"):
        prove_equal(network_of(twin, **changes), recording)
