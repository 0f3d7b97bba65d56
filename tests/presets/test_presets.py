"""The registry of presets: arguments, citations, sizes that fit, and other tools' counts."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
from typing import Any

import pytest
import torch
from ptflops import get_model_complexity_info

from dse.cost import cost
from dse.emit import emit
from dse.errors import DseError, InvalidDesign, InvalidValue, UnknownName
from dse.ir import Shape, Step
from dse.ir.ops import Conv, Linear
from dse.network import parse_network
from dse.presets import load_preset, preset_function, preset_names
from tests.modules import (
    built,
    counted_macs,
    images,
    interpreted,
    on_meta,
    randomised,
    running_statistics,
    trainable,
)

pytestmark = pytest.mark.usefixtures("one_thread")

every_preset = pytest.mark.parametrize("name", preset_names())

LARGE = {
    *("densenet-169", "densenet-201", "efficientnet-b4", "efficientnet-b7"),
    *("googlenet", "mobilenet-v3-large", "resnet-101", "resnet-152", "vgg-19-bn"),
}
"""Presets that take many seconds to trace or train."""

COMPILED = ("hl-cnn", "hybrid-mobilenet", "resnet-18", "shufflenet-v1", "spp-covid-net")
"""Compilation takes up to minutes: these have blocks of most kinds, and are small."""

large_ones_are_slow = pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in LARGE else name
        for name in preset_names()
    ],
)

ROOM = {"googlenet": 64}
"""The smallest of the tested images that a preset takes, where that is not 32x32."""


@every_preset
def test_a_docstring_cites_a_table_figure_or_section(name: str) -> None:
    doc = inspect.getdoc(preset_function(name)) or ""
    assert re.search(r"\b(Table|Tables|Figure|section) ", doc)
    assert doc.split("\n\n")[0].endswith(".")


@every_preset
def test_a_preset_is_called_as_its_network(name: str) -> None:
    assert load_preset(name).name == name


@every_preset
def test_every_argument_has_a_default_and_a_type(name: str) -> None:
    parameters = inspect.signature(preset_function(name)).parameters
    assert {"classes", "input"} <= parameters.keys()
    assert [p.name for p in parameters.values() if p.default is p.empty] == []
    assert [p.name for p in parameters.values() if p.annotation is p.empty] == []


@every_preset
@pytest.mark.parametrize(("input", "classes"), [("3x64x64", 3), ("3x32x32", 10), ("1x64x64", 2)])
def test_a_preset_takes_small_images(name: str, input: str, classes: int) -> None:
    if Shape.parse(input).height < ROOM.get(name, 32):
        with pytest.raises(InvalidDesign, match="the smallest square image it takes is"):
            load_preset(name, input=input, classes=classes)
        return
    network = load_preset(name, input=input, classes=classes)
    assert str(network.input) == input
    assert network.lower().output.shape == (classes,)


TOO_SMALL = {"darkcovidnet": "pool5", "squeezenet": "pool4", "squeezenet-1.1": "pool5"}


@pytest.mark.parametrize(("name", "node"), TOO_SMALL.items())
def test_an_image_too_small_is_refused_at_the_node_where_it_vanishes(name: str, node: str) -> None:
    with pytest.raises(InvalidDesign, match=rf"^{node} Pool: the pooling window must fit") as error:
        load_preset(name, input="3x16x16")
    found = re.search(r"3x16x16 is too small, the smallest .* takes is (\d+)x", str(error.value))
    assert found
    smallest = int(found[1])
    load_preset(name, input=f"3x{smallest}x{smallest}")
    with pytest.raises(InvalidDesign):
        load_preset(name, input=f"3x{smallest - 1}x{smallest - 1}")


@every_preset
def test_costs_are_torchs_at_the_papers_size(name: str) -> None:
    network = load_preset(name)
    total, model = cost(network), on_meta(network)
    assert total.macs == counted_macs(network)
    assert total.params == trainable(model)
    assert total.buffers == running_statistics(model)


def bias_additions(step: Step) -> int:
    biased = isinstance(step.op, Conv | Linear) and step.op.bias
    return step.output.shape.size if biased else 0


@every_preset
def test_ptflops_counts_macs_and_one_addition_for_each_bias(name: str) -> None:
    """Its aten backend sees every convolution and matrix product, and a bias once per output."""
    network = load_preset(name)
    with contextlib.redirect_stdout(io.StringIO()):
        counted, parameters = get_model_complexity_info(
            on_meta(network),
            tuple(network.input),
            backend="aten",
            as_strings=False,
            print_per_layer_stat=False,
        )
    assert counted == cost(network).macs + sum(map(bias_additions, network.lower().steps()))
    assert parameters == cost(network).params


@pytest.mark.slow
@large_ones_are_slow
def test_a_preset_trains_and_scripts(name: str) -> None:
    network = load_preset(name, input="3x64x64", classes=3)
    model, batch = built(network), images(network)
    with torch.no_grad():
        torch.testing.assert_close(torch.jit.script(model)(batch), model(batch))
    model.train()(batch).square().sum().backward()
    assert [key for key, p in model.named_parameters() if p.grad is None] == []


@every_preset
def test_the_emitted_preset_computes_the_program(name: str) -> None:
    network = load_preset(name, input="3x64x64", classes=3)
    model, batch = randomised(built(network)), images(network)
    with torch.no_grad():
        scores, expected = model(batch), interpreted(network, model, batch)
    assert (scores - expected).abs().max() <= 1e-4 * expected.abs().max()


@pytest.mark.slow
@large_ones_are_slow
def test_a_preset_exports(name: str) -> None:
    network = load_preset(name, input="3x64x64", classes=3)
    model, batch = built(network), images(network)
    with torch.no_grad():
        exported = torch.export.export(model, (batch,)).module()
        torch.testing.assert_close(exported(batch), model(batch))


@pytest.mark.slow
@pytest.mark.parametrize("name", COMPILED)
def test_a_preset_compiles(name: str) -> None:
    network = load_preset(name, input="3x64x64", classes=3)
    model, batch = built(network), images(network)
    with torch.no_grad():
        compiled = torch.compile(model, fullgraph=True)
        torch.testing.assert_close(compiled(batch), model(batch), rtol=1e-3, atol=1e-4)


@every_preset
def test_a_preset_round_trips_through_json(name: str) -> None:
    network = load_preset(name)
    again = parse_network(network.to_json(), "test")
    assert again == network
    assert emit(again) == emit(network)


@every_preset
def test_the_code_of_a_preset_is_short(name: str) -> None:
    """Deep networks are written as their papers' tables group them, not block by block."""
    lines = emit(load_preset(name)).splitlines()
    assert len(lines) < 350
    assert max(map(len, lines)) <= 88


# -- wrong arguments -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "arguments", "error", "words"),
    [
        ("squeeznet", {}, UnknownName, ["'squeeznet'", "'squeezenet'"]),
        ("", {}, UnknownName, ["''"]),
        ("hl-cnn", {"clases": 3}, UnknownName, ["argument of hl-cnn", "'clases'", "'classes'"]),
        ("hl-cnn", {"alpha": 0.5}, UnknownName, ["argument of hl-cnn", "'alpha'"]),
        ("hl-cnn", {"classes": "3"}, InvalidValue, ["hl-cnn", "classes", "int", "'3'"]),
        ("hl-cnn", {"classes": True}, InvalidValue, ["classes", "True"]),
        ("hl-cnn", {"classes": 2.5}, InvalidValue, ["classes", "2.5"]),
        ("hl-cnn", {"classes": 1}, InvalidDesign, ["classes", "got 1"]),
        ("hl-cnn", {"input": "224"}, InvalidDesign, ["3x224x224", "'224'"]),
        ("hl-cnn", {"input": 224}, InvalidValue, ["input", "str", "224"]),
        ("mobilenet-v1", {"alpha": 0}, InvalidValue, ["mobilenet-v1", "alpha", "0"]),
        ("mobilenet-v1", {"alpha": float("nan")}, InvalidValue, ["alpha", "nan"]),
        ("mobilenet-v1", {"alpha": 5.0}, InvalidValue, ["alpha", "at most 4", "5.0"]),
        ("mobilenet-v1", {"alpha": "1"}, InvalidValue, ["alpha", "float", "'1'"]),
        ("hybrid-mobilenet", {"delta": 0}, InvalidValue, ["delta", "1 to 16", "0"]),
        ("hybrid-mobilenet", {"delta": 2.0}, InvalidValue, ["delta", "int", "2.0"]),
        ("hybrid-mobilenet", {"downsample": "max"}, InvalidValue, ["stride, maxpool3", "max"]),
        ("spp-covid-net", {"pools": 3}, InvalidValue, ["pools", "4, 5", "3"]),
        ("shufflenet-v1", {"groups": 5}, InvalidValue, ["groups", "1, 2, 3, 4, 8", "5"]),
        ("shufflenet-v1", {"alpha": 0.3}, InvalidValue, ["3 groups", "divide", "72", "0.3"]),
        ("shufflenet-v1", {"alpha": 0.0}, InvalidValue, ["alpha", "above 0", "got 0"]),
        ("mobilenet-v2", {"alpha": 4.5}, InvalidValue, ["alpha", "at most 4", "4.5"]),
        ("mobilenet-v2", {"expand_first": 1}, InvalidValue, ["expand_first", "bool", "1"]),
        ("mobilenet-v3-small", {"alpha": -1.0}, InvalidValue, ["mobilenet-v3-small", "-1"]),
        ("efficientnet-b4", {"width": 0}, InvalidValue, ["width", "above 0", "at most 8"]),
        ("efficientnet-b7", {"depth": 9.0}, InvalidValue, ["depth", "9"]),
        ("googlenet", {"variant": "v1"}, InvalidValue, ["paper, torchvision", "v1"]),
        ("resnet-101", {"stride_at": "2x2"}, InvalidValue, ["3x3, 1x1", "2x2"]),
    ],
)
def test_a_wrong_argument_is_named_with_what_it_may_be(
    name: str, arguments: dict[str, Any], error: type[DseError], words: list[str]
) -> None:
    with pytest.raises(error) as caught:
        load_preset(name, **arguments)
    assert [word for word in words if word not in str(caught.value)] == []


def test_an_integer_serves_as_a_width_multiplier() -> None:
    assert load_preset("mobilenet-v1", alpha=1) == load_preset("mobilenet-v1", alpha=1.0)


def test_a_small_image_gets_the_adaptive_pyramid_of_equal_size() -> None:
    small, full = load_preset("spp-covid-net", input="3x64x64"), load_preset("spp-covid-net")
    assert cost(small).params == cost(full).params
    kinds = [[node.block.kind for node in n.nodes if "pyramid" in node.name] for n in (small, full)]
    assert kinds == [["adaptive_pyramid"], ["pyramid"]]
