"""Weights of others in our modules: the same function, or a refusal that says which layers."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

import dse
from dse.errors import InvalidValue
from dse.network import Network, read_network
from dse.presets import load_preset, preset_names
from dse.runtime.weights import load_weights, save_weights
from dse.runtime.weights.layers import Layer, layers_of
from dse.runtime.weights.match import match
from tests.implementations import Maker, lorna, mobilenet_v3_ending, pytorchcv
from tests.modules import built, on_meta
from tests.runtime.weights.files import (
    ENDINGS,
    State,
    assert_same,
    model_of,
    scores_of,
    written,
)
from tests.strategies import networks

pytestmark = pytest.mark.usefixtures("one_thread")


def small(preset: str, classes: int = 5, **arguments: Any) -> Network:
    return load_preset(preset, input="3x64x64", classes=classes, **arguments)


RESNET = small("resnet-18")


@pytest.fixture(scope="module")
def resnet() -> nn.Module:
    """Another ResNet-18, with torchvision's names and 5 classes."""
    return model_of(lorna("resnet_pytorch", "resnet18"), RESNET)


@pytest.fixture
def state(resnet: nn.Module) -> dict[str, Any]:
    return dict(resnet.float().state_dict())


# -- the same function ---------------------------------------------------------------------------

OTHERS: list[tuple[str, dict[str, Any], Maker]] = [
    ("squeezenet", {}, pytorchcv("squeezenet_v1_0")),
    ("mobilenet-v1", {"alpha": 0.25}, pytorchcv("mobilenet_wd4")),
    ("mobilenet-v2", {}, pytorchcv("mobilenetv2b_w1")),
    ("mobilenet-v3-small", {}, mobilenet_v3_ending("mobilenetv3_small_w1", 96, 576, 1024)),
    ("mobilenet-v3-large", {}, pytorchcv("mobilenetv3_large_w1")),
    ("shufflenet-v1", {"groups": 3}, pytorchcv("shufflenet_g3_w1")),
    (
        "googlenet",
        {"variant": "torchvision"},
        lorna("googlenet_pytorch", "googlenet", transform_input=False),
    ),
    ("resnet-18", {}, pytorchcv("resnet18")),
    ("densenet-169", {}, lorna("densenet_pytorch", "densenet169")),
    ("efficientnet-b0", {}, pytorchcv("efficientnet_b0")),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("preset", "arguments", "make"), OTHERS, ids=lambda x: x if isinstance(x, str) else ""
)
def test_a_network_of_others_computes_the_same_in_our_module(
    preset: str, arguments: dict[str, Any], make: Maker, tmp_path: Path
) -> None:
    """From both forms of file: one keeps the order of construction, the other sorts names."""
    network = small(preset, **arguments)
    model = model_of(make, network)
    paths = [written(model.state_dict(), tmp_path / f"weights{ending}") for ending in ENDINGS]
    expected = scores_of(model, network)
    for path in paths:
        assert_same(scores_of(dse.build(network, weights=path), network), expected)


@pytest.mark.parametrize("preset", preset_names())
def test_a_preset_knows_its_own_names(preset: str) -> None:
    layers = layers_of(on_meta(small(preset)).state_dict())
    found = match(layers, layers[::-1], (), ordered=False)
    assert (found.how, found.heads, found.unused) == ("name", [], [])
    assert found.pairs == [(layer, layer) for layer in layers]


NO_ORDER = {
    "googlenet": "conv1x1 .* and .*reduce3x3",
    "hl-cnn": "fusion.alpha .* and .*fusion.beta",
}


@pytest.mark.parametrize("preset", preset_names())
def test_the_order_of_sorted_names_is_found_or_asked_for(preset: str) -> None:
    """Under foreign names, that is; where two layers could be either, none is guessed."""
    layers = layers_of(on_meta(small(preset)).state_dict())
    foreign = [Layer(f"net.{layer.name}", layer.kind, layer.tensors) for layer in layers]
    foreign.sort(key=lambda layer: layer.name)
    if preset in NO_ORDER:
        with pytest.raises(InvalidValue, match=NO_ORDER[preset]):
            match(layers, foreign, (), ordered=False)
        return
    found = match(layers, foreign, (), ordered=False)
    assert found.how == "structure"
    assert {other.name: own.name for own, other in found.pairs} == {
        f"net.{layer.name}": layer.name for layer in layers
    }


@given(network=networks(), classes=st.integers(2, 6), seed=st.integers(0, 9))
def test_any_network_takes_its_weights_and_those_for_other_classes(
    network: Network, classes: int, seed: int
) -> None:
    heads = [node.name for node in network.nodes if "classifier" in node.block.kind]
    assume(len(heads) == 1)  # behind another classifier, features are classes too
    model, other = built(network, seed), built(network.resized(classes=classes), seed + 1)
    before = {key: tensor.clone() for key, tensor in other.state_dict().items()}
    with TemporaryDirectory() as folder:
        path = Path(folder, "weights.safetensors")
        save_weights(model, path)
        loaded = load_weights(other, network.resized(classes=classes), path)
    assert len(loaded.initial) == (classes != network.classes)
    for key, tensor in other.state_dict().items():
        source = before if key.rpartition(".")[0] in loaded.initial else model.state_dict()
        assert torch.equal(tensor, source[key]), key


# -- other classes -------------------------------------------------------------------------------


def test_the_classifier_starts_afresh_for_other_classes(
    resnet: nn.Module, state: State, tmp_path: Path
) -> None:
    path = written(state, tmp_path / "weights.pth")
    network = small("resnet-18", classes=3)
    ours = built(network)
    fresh = ours.get_parameter("classifier.weight").clone()
    loaded = load_weights(ours, network, path)
    assert loaded.initial == ("classifier",)
    assert loaded.unused == ("fc",)
    assert len(loaded.taken) == 40
    assert "classifier left at initial values; not used: fc of the file" in str(loaded)
    assert torch.equal(ours.get_parameter("classifier.weight"), fresh)
    # All before it is theirs: with their last layer in its place the scores are theirs too.
    ours.classifier = resnet.fc
    assert_same(scores_of(ours, network), scores_of(resnet, RESNET))


def test_a_network_without_its_classifier_fits(state: dict[str, Any], tmp_path: Path) -> None:
    del state["fc.weight"], state["fc.bias"]
    loaded = load_weights(built(RESNET), RESNET, written(state, tmp_path / "weights.pth"))
    assert (loaded.initial, loaded.unused) == (("classifier",), ())


def test_a_convolution_makes_the_classes_of_squeezenet(tmp_path: Path) -> None:
    there, here = small("squeezenet", classes=1000), small("squeezenet", classes=2)
    save_weights(built(there), tmp_path / "weights.pt")
    assert load_weights(built(here), here, tmp_path / "weights.pt").initial == ("conv10",)


# -- what state dicts differ in ------------------------------------------------------------------


def test_auxiliary_classifiers_are_left_out(tmp_path: Path) -> None:
    network = small("googlenet", variant="torchvision")
    model = lorna("googlenet_pytorch", "googlenet", aux_logits=True)(network)
    loaded = load_weights(built(network), network, written(model.state_dict(), tmp_path / "w.pt"))
    assert loaded.initial == ()
    assert len(loaded.unused) == 8
    assert {name.partition(".")[0] for name in loaded.unused} == {"aux1", "aux2"}


def test_a_linear_layer_and_a_1x1_convolution_are_one(tmp_path: Path) -> None:
    """pytorchcv's MobileNets V2 and V3 classify by convolutions, ours by linear layers."""
    network = small("mobilenet-v2")
    model = model_of(pytorchcv("mobilenetv2b_w1"), network)
    weights = model.state_dict()
    assert weights["output.weight"].dim() == 4
    ours = dse.build(network, weights=written(weights, tmp_path / "weights.pth"))
    assert ours.get_parameter("classifier.weight").dim() == 2


def test_a_bias_that_the_file_lacks_is_zero(tmp_path: Path) -> None:
    network = small("mobilenet-v2")
    model = model_of(pytorchcv("mobilenetv2b_w1"), network)
    assert "output.bias" not in model.state_dict()
    ours = dse.build(network, weights=written(model.state_dict(), tmp_path / "weights.pth"))
    assert not ours.get_parameter("classifier.bias").any()


def test_a_bias_that_we_lack_is_refused_unless_it_is_zero(
    state: dict[str, Any], tmp_path: Path
) -> None:
    state["layer1.0.conv1.bias"] = torch.zeros(64)
    load_weights(built(RESNET), RESNET, written(state, tmp_path / "zero.pth"))
    state["layer1.0.conv1.bias"] = torch.ones(64)
    with pytest.raises(InvalidValue, match=r"layer1\.0\.conv1 \(64x64x3x3\) has a bias, layer1\.0"):
        load_weights(built(RESNET), RESNET, written(state, tmp_path / "one.pth"))


def test_half_precision_becomes_ours(resnet: nn.Module, tmp_path: Path) -> None:
    halves = {key: tensor.half() for key, tensor in resnet.state_dict().items()}
    ours = dse.build(RESNET, weights=written(halves, tmp_path / "weights.safetensors"))
    weight = ours.get_parameter("conv1.conv.weight")
    assert weight.dtype == torch.float32
    assert torch.equal(weight, halves["conv1.weight"].float())


def shortcut_first(layers: list[Layer], hint: str) -> list[Layer]:
    """The shortcut of each block in front of the block, called `hint`, as some build it."""
    blocks: dict[str, list[Layer]] = {}
    for layer in layers:
        blocks.setdefault(".".join(layer.name.split(".")[:2]), []).append(layer)
    order = [
        layer
        for block in blocks.values()
        for layer in sorted(block, key=lambda layer: "downsample" not in layer.name)
    ]
    return [Layer(x.name.replace("downsample", hint), x.kind, x.tensors) for x in order]


@pytest.fixture(scope="module")
def bottlenecks() -> list[Layer]:
    """ResNet-101 under torchvision's names: in its first stage a shortcut has the shape of the
    block's last layer.
    """
    with torch.device("meta"):
        model = lorna("resnet_pytorch", "resnet101")(small("resnet-101"))
    return layers_of(model.state_dict())


@pytest.mark.parametrize("hint", ["downsample", "shortcut", "identity_conv", "proj", "skip_conv"])
def test_shortcuts_built_first_are_known_by_their_names(
    hint: str, bottlenecks: list[Layer]
) -> None:
    ours = layers_of(on_meta(small("resnet-101")).state_dict())
    right = {
        own.name: other.name for own, other in match(ours, bottlenecks, (), ordered=True).pairs
    }
    assert right["layer1.0.shortcut"] == "layer1.0.downsample.0"
    changed = shortcut_first(bottlenecks, hint)
    assert [x.name for x in changed] != [x.name for x in bottlenecks]
    found = match(ours, changed, (), ordered=True).pairs
    assert {a.name: b.name.replace(hint, "downsample") for a, b in found} == right


def test_shortcuts_built_first_under_any_name_are_not_guessed(bottlenecks: list[Layer]) -> None:
    ours = layers_of(on_meta(small("resnet-101")).state_dict())
    with pytest.raises(InvalidValue, match=r"which of layer1\.0\.\S+ \(256x64\) and layer1\.0"):
        match(ours, shortcut_first(bottlenecks, "branch1"), (), ordered=True)


def test_a_flat_list_of_alike_layers_is_not_guessed() -> None:
    """The search for an order ends, however many there might be."""
    network = read_network(
        {
            "name": "alike",
            "input": "3x8x8",
            "classes": 2,
            "nodes": [
                {"name": "stem", "conv": {"channels": 8}},
                *({"name": f"body.{i}", "conv": {"channels": 8}} for i in range(30)),
                {"name": "gap", "global_pool": {}},
                {"name": "classifier", "classifier": {}},
            ],
        }
    )
    ours = layers_of(on_meta(network).state_dict())
    words = [f"{chr(97 + i % 26)}{'x' * (i // 26)}" for i in range(len(ours))]
    flat = [Layer(word, x.kind, x.tensors) for word, x in zip(words, ours, strict=True)]
    assert len(match(ours, flat, (), ordered=True).pairs) == len(ours)
    with pytest.raises(InvalidValue, match="its names leave open"):
        match(ours, flat, (), ordered=False)


# -- refusals ------------------------------------------------------------------------------------


def refusal(network: Network, state: State, folder: Path) -> str:
    """Of a file that does not fit: the module must be as before."""
    module = built(network)
    before = {key: tensor.clone() for key, tensor in module.state_dict().items()}
    with pytest.raises(InvalidValue) as caught:
        load_weights(module, network, written(state, folder / "weights.pth"))
    for key, tensor in module.state_dict().items():
        assert torch.equal(tensor, before[key]), key
    message = str(caught.value)
    assert message.startswith(f"{folder / 'weights.pth'} does not fit {network.name}: ")
    return message


def test_a_shallower_network_names_what_it_lacks(state: State, tmp_path: Path) -> None:
    message = refusal(small("resnet-101"), state, tmp_path)
    assert "it has nothing for layer1.0.conv1 (64x64), layer1.0.conv3 (256x64)" in message
    assert "the network has no place for layer1.1.conv2 (64x64x3x3)" in message
    assert "and 170 more" in message


def test_a_deeper_network_of_ours_is_not_taken_in_part(tmp_path: Path) -> None:
    """Every name and shape of ResNet-101 is in ResNet-152."""
    deeper = small("resnet-152").scaled(0.25)
    message = refusal(small("resnet-101").scaled(0.25), built(deeper).state_dict(), tmp_path)
    assert message.partition(": ")[2].startswith("the network has no place for layer2.4.conv1")


def test_another_width_is_refused(tmp_path: Path) -> None:
    wide = built(small("mobilenet-v1", alpha=0.5)).state_dict()
    message = refusal(small("mobilenet-v1", alpha=0.25), wide, tmp_path)
    assert "it has nothing for stem.conv (8x3x3x3), stem.bn (batch norm 8)" in message


def test_layers_in_an_order_that_no_network_of_ours_has(
    state: dict[str, Any], tmp_path: Path
) -> None:
    """The second stage's names on the third stage's layers, and the other way round."""
    swap = {"layer2": "layer3", "layer3": "layer2"}
    renamed = {}
    for key in sorted(state):
        first, _, rest = key.partition(".")
        renamed[f"{swap.get(first, first)}.{rest}"] = state[key]
    message = refusal(RESNET, renamed, tmp_path)
    assert message.endswith("the same layers, but not in an order that the network has")


def test_a_layer_of_an_unknown_kind_is_named(state: dict[str, Any], tmp_path: Path) -> None:
    message = refusal(RESNET, {**state, "layer4.gamma": torch.ones(512)}, tmp_path)
    assert message.endswith(": the network has no place for layer4.gamma (512)")


def test_a_classifier_of_other_features_is_refused(state: dict[str, Any], tmp_path: Path) -> None:
    message = refusal(RESNET, {**state, "fc.weight": torch.ones(5, 99)}, tmp_path)
    assert "fc (5x99)" in message
