"""From a network and its weights to an ONNX model or file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dse.atomic import atomically
from dse.errors import InvalidValue
from dse.ir import Scope
from dse.network import Network
from dse.runtime.onnx.check import OnnxCheck, check_onnx
from dse.runtime.onnx.fold import fold_norms
from dse.runtime.onnx.graph import Graph, State
from dse.runtime.onnx.opset import OPSET, check_nodes, check_opset
from dse.runtime.onnx.table import ONNX_OPS, Place
from dse.version import dse_version

if TYPE_CHECKING:
    import onnx
    from torch import nn


def facts_of(network: Network) -> dict[str, str]:
    """What every exported file says of its network."""
    return {
        "dse_version": dse_version(),
        "digest": network.digest,
        "classes": str(network.classes),
        "input": str(network.input),
    }


def to_onnx(
    network: Network,
    state: State,
    *,
    metadata: Mapping[str, str] | None = None,
    opset: int = OPSET,
    folded: bool = False,
) -> onnx.ModelProto:
    """The network with these weights as an ONNX model, in evaluation mode, for batches of any size.

    The input is called ``image``, the output ``logits``; nodes and weights have the paths of the
    emitted module. Equal arguments give equal bytes.

    Args:
        network: what to write.
        state: the tensors by their names in the emitted module's state dict.
        metadata: what else to note in the file, beside dse's version and the network's digest,
            classes and input.
        opset: version of the operators, `LOWEST` to `HIGHEST`.
        folded: whether batch normalisations become part of the convolutions before them.

    Raises:
        InvalidDesign: a tensor is missing, has the wrong shape, or belongs to no op of the network.
        InvalidValue: `metadata` has an entry that dse writes itself, or the network has an op that
            came after the opset.
    """
    own = facts_of(network)
    for key in metadata or {}:
        if key in own:
            raise InvalidValue(
                f"metadata may not restate what dse writes ({', '.join(own)}), got {key!r}"
            )
    return program_to_onnx(
        network.lower(),
        state,
        about=network.about,
        metadata={**own, **(metadata or {})},
        opset=opset,
        folded=folded,
    )


def program_to_onnx(
    program: Scope,
    state: State,
    *,
    about: str = "",
    metadata: Mapping[str, str] | None = None,
    opset: int = OPSET,
    folded: bool = False,
) -> onnx.ModelProto:
    """Any program of one input as an ONNX model; see `to_onnx`.

    Raises:
        InvalidDesign: a tensor is missing, has the wrong shape, or belongs to no op of the program.
        InvalidValue: the program has an op that came after the opset.
    """
    from dse.runtime.onnx.model import INPUT, OUTPUT, write_model

    check_opset(opset)
    graph = Graph(state, opset)
    names = {id(program.inputs[0]): INPUT}
    for path, step in program.walk():
        place = Place(
            path,
            tuple(names[id(value)] for value in step.inputs),
            tuple(value.shape for value in step.inputs),
        )
        name = ONNX_OPS[type(step.op).__name__](graph, step.op, place)
        names[id(step.output)] = name
        if name not in graph.initializers:
            graph.shapes[name] = step.output.shape
    graph.check_all_weights_read()
    check_nodes(graph.nodes, opset, program.label)
    result = names[id(program.output)]
    if folded:
        fold_norms(graph, result)
    if result == INPUT:
        result = graph.node("Identity", "/identity", INPUT)
    graph.rename(result, OUTPUT)
    shapes = program.inputs[0].shape, program.output.shape
    return write_model(graph, program.label, about, *shapes, dse_version(), metadata or {})


def export_onnx(
    network: Network,
    module: nn.Module,
    path: Path,
    *,
    metadata: Mapping[str, str] | None = None,
    opset: int = OPSET,
) -> OnnxCheck:
    """Write the module as an ONNX file and compare it with torch.

    The file is checked before it takes its name: no broken or half-written file ever stands at
    `path`. How far the two may differ is for the caller to judge.

    Raises:
        InvalidDesign: the module's weights are not those of the network.
        InvalidValue: the file cannot be written, the network has an op that came after the opset,
            or `metadata` has an entry that dse writes itself.
    """
    path = Path(path)
    model = to_onnx(network, module.state_dict(), metadata=metadata, opset=opset)
    try:
        with atomically(path) as draft:
            draft.write_bytes(model.SerializeToString(deterministic=True))
            del model  # the check loads the file: one copy of the weights fewer
            return check_onnx(draft, module, network)
    except OSError as error:
        raise InvalidValue(f"{path} cannot be written: {error.strerror or error}") from None
