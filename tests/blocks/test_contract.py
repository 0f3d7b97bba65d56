"""What every block must keep, for any of its fields: cost, shapes and names are torch's.

A new block is tested by being registered; a new type of field is taught to tests/strategies.py.
"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.blocks import block_kinds, read_block
from dse.cost import cost
from dse.errors import InvalidDesign
from dse.ir import Step
from dse.ir.ops import ChannelConv
from dse.network import Network, parse_network
from tests.modules import (
    built,
    counted_macs,
    images,
    interpreted,
    on_meta,
    output_shapes,
    randomised,
    running_statistics,
    trainable,
)
from tests.strategies import KINDS, blocks, minimal_networks, networks

pytestmark = pytest.mark.usefixtures("one_thread")

every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
@given(data=st.data())
def test_block_document_round_trips(kind: str, data: st.DataObject) -> None:
    block = data.draw(blocks(block_kinds()[kind]))
    assert read_block(block.document()) == block


@every_kind
@given(data=st.data())
def test_network_json_round_trips(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    again = parse_network(network.to_json(), "test")
    assert again == network
    assert again.digest == network.digest
    assert again.nodes == network.nodes
    assert again.to_json() == network.to_json()


@every_kind
@settings(max_examples=10)
@given(data=st.data())
def test_parameters_are_torchs(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    model = on_meta(network)
    total = cost(network)
    assert total.params == trainable(model)
    assert total.params_with_buffers == trainable(model) + running_statistics(model)


@every_kind
@settings(max_examples=10)
@given(data=st.data())
def test_macs_are_torchs(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    assert cost(network).macs == counted_macs(network)


@every_kind
@settings(max_examples=10)
@given(data=st.data())
def test_shapes_are_torchs(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    found = output_shapes(on_meta(network), torch.empty(1, *network.input, device="meta"))
    program = network.lower()
    expected = {scope.label: tuple(scope.output.shape) for scope in program.body}
    expected |= {path: _module_shape(step) for path, step in program.walk() if step.op.module}
    compared = found.keys() & expected.keys()
    assert {path: found[path] for path in compared} == {path: expected[path] for path in compared}
    stateful = {path for path, step in program.walk() if _state(step) and step.inputs}
    assert stateful <= found.keys()


def _module_shape(step: Step) -> tuple[int, ...]:
    """What the op's module gives: that of a channel convolution sees channels as positions."""
    shape = tuple(step.output.shape)
    return (1, shape[0], 1) if isinstance(step.op, ChannelConv) else shape


@every_kind
@settings(max_examples=10)
@given(data=st.data())
def test_weights_live_at_the_paths_of_the_program(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    found: dict[str, int] = {}
    for key, tensor in on_meta(network).state_dict().items():
        path, _, last = key.rpartition(".")
        owner = key if _is_parameter(network, key) else path
        found[owner] = found.get(owner, 0) + tensor.numel() * (last != "num_batches_tracked")
    assert found == {path: _state(step) for path, step in network.lower().walk() if _state(step)}


def _is_parameter(network: Network, key: str) -> bool:
    return any(path == key and not step.inputs for path, step in network.lower().walk())


def _state(step: Step) -> int:
    shapes = [value.shape for value in step.inputs]
    return step.op.params(*shapes) + step.op.buffers(*shapes)


@every_kind
@given(data=st.data())
def test_scaled_networks_are_valid_or_refused(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    alpha = data.draw(st.sampled_from([0.01, 0.25, 0.5, 0.75, 1.0, 2.0]))
    try:
        scaled = network.scaled(alpha)
    except InvalidDesign as error:
        # Only a rule between two numbers, one of which is no width, can break.
        if "groups" in str(error) or "equal shapes" in str(error):
            return
        raise
    assert parse_network(scaled.to_json(), "test") == scaled
    assert scaled.lower().output.shape == (network.classes,)


@every_kind
@settings(max_examples=5)
@given(data=st.data())
def test_evaluation_gives_finite_scores(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    with torch.no_grad():
        scores = built(network)(images(network, 3))
    assert scores.shape == (3, network.classes)
    assert scores.isfinite().all()


@every_kind
@settings(max_examples=15)
@given(data=st.data())
def test_emitted_code_computes_the_program(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    model, batch = randomised(built(network)), images(network)
    with torch.no_grad():
        torch.testing.assert_close(
            model(batch), interpreted(network, model, batch), rtol=1e-4, atol=1e-4
        )


@settings(max_examples=60)
@given(network=networks())
def test_emitted_chains_compute_the_program(network: Network) -> None:
    model, batch = randomised(built(network)), images(network)
    with torch.no_grad():
        torch.testing.assert_close(
            model(batch), interpreted(network, model, batch), rtol=1e-4, atol=1e-3
        )


@every_kind
@settings(max_examples=5)
@given(data=st.data())
def test_training_reaches_every_parameter(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    model = built(network).train()
    model(images(network, 4)).square().sum().backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []


@every_kind
@settings(max_examples=5)
@given(data=st.data())
def test_evaluation_does_not_change_its_input(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    batch = images(network)
    before = batch.clone()
    with torch.no_grad():
        built(network)(batch)
    assert torch.equal(batch, before)


@pytest.mark.slow
@every_kind
@settings(max_examples=4)
@given(data=st.data())
def test_script_equals_eager(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    model, batch = built(network), images(network)
    with torch.no_grad():
        torch.testing.assert_close(torch.jit.script(model)(batch), model(batch))


@pytest.mark.slow
@every_kind
@settings(max_examples=2)
@given(data=st.data())
def test_export_equals_eager(kind: str, data: st.DataObject) -> None:
    network = data.draw(minimal_networks(kind))
    model, batch = built(network), images(network)
    exported = torch.export.export(model, (batch,)).module()
    with torch.no_grad():
        torch.testing.assert_close(exported(batch), model(batch))
