"""The kernels of programs, blocks and networks.

`kernels` says what ONNX Runtime runs for a whole program. For a search that is not enough: it needs
numbers that add up, one for each block, whatever stands around it. So `block_kernels` decides by
shapes alone how values arrive and leave, in the way that ONNX Runtime nearly always does.
"""

from __future__ import annotations

from dse.blocks import Block
from dse.ir import Scope, Shape, Step, Tape, Value, ops
from dse.latency.fuse import Fusion
from dse.latency.kernel import Kernel
from dse.latency.layout import Layout
from dse.network import Network

Kernels = tuple[Kernel, ...]


def kernels(program: Scope, layout: Layout) -> list[Kernel]:
    """What ONNX Runtime runs for a program, on its own, that is given an image in rows."""
    given = [(value, False) for value in program.inputs]
    fusion = Fusion(layout, program.steps(), given, program.output)
    fusion.rows(fusion.result)
    return list(fusion.kernels())


def block_kernels(
    block: Block, inputs: tuple[Shape, ...], classes: int, layout: Layout
) -> tuple[Shape, Kernels]:
    """The output of a block, and the kernels that a network has for it.

    Values arrive and leave in blocks of channels if their shapes fill some (`Layout.blocks`): what
    a block writes otherwise it reorders. One kind of block is told apart. A block that adds to its
    own input mostly stands after its like; if its sum stays in the other layout where its input
    comes in it (in rows, as with an activation that is not joined to a sum; in padded blocks, where
    the channels are odd), then nothing is reordered between the two.

    Raises:
        InvalidDesign: the block cannot take such inputs.
    """
    tape = Tape(block.kind, classes, *inputs)
    result = tape.root.output = tape.call(block.kind, block, *tape.root.inputs)
    steps = list(tape.root.steps())
    given = [(value, layout.blocks(value.shape)) for value in tape.root.inputs]
    usual = layout.blocks(result.shape)
    fusion = Fusion(layout, steps, given, result)
    if fusion.result.blocked != usual:
        [(x, came), *others] = given
        if not others and came == usual and _adds(steps, x):
            after_its_like = Fusion(layout, steps, [(x, not came)], result)
            if after_its_like.result.blocked != usual:
                return result.shape, after_its_like.kernels()
        (fusion.blocks if usual else fusion.rows)(fusion.result)
    return result.shape, fusion.kernels()


def _adds(steps: list[Step], x: Value) -> bool:
    return any(type(step.op) is ops.Add and x in step.inputs for step in steps)


def network_kernels(network: Network, layout: Layout) -> tuple[Kernels, ...]:
    """The kernels of each node; the nodes' times add up to the network's, but for a constant."""
    shapes: list[Shape] = []
    found = []
    for node, sources in zip(network.nodes, network.sources(), strict=True):
        inputs = tuple([shapes[i] if i >= 0 else network.input for i in sources])
        shape, own = block_kernels(node.block, inputs, network.classes, layout)
        shapes.append(shape)
        found.append(own)
    return tuple(found)
