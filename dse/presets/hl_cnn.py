"""HL-CNN."""

from __future__ import annotations

from dse.ir import Shape
from dse.network import Network
from dse.presets.base import Nodes, network, preset


def _bottlenecks(stage: str, channels: int, blocks: int, source: str) -> Nodes:
    settings = {
        "channels": channels,
        "expansion": 4,
        "attention": {"squeeze_excite": {"reduction": 4}},
    }
    nodes: Nodes = [
        {"name": f"{stage}.{i}", "inverted": {**settings, "stride": 1 if i else 2}}
        for i in range(blocks)
    ]
    nodes[0]["inputs"] = [source]
    return nodes


@preset
def hl_cnn(classes: int = 1000, input: str = "3x224x224") -> Network:
    """HL-CNN: local features from shallow layers fused with global ones from deep layers by learned
    weights.

    HL-CNN, section III and Table II (310M multiply-adds at 224x224). The paper prints no layer
    table: this is a reading of its text, with exactly the parts it names (depthwise separable
    convolutions, bottlenecks with channel attention, fusion alpha * F1 + beta * F2), in regular
    sizes that multiply to 310,132,352. At 32x32 (the paper's accuracies are CIFAR-10's) the stem's
    stride is 1, so that maps do not vanish.
    """
    small = Shape.parse(input).width < 96
    nodes: Nodes = [
        {"name": "stem", "conv": {"channels": 32, "stride": 1 if small else 2}},
        {"name": "shallow.0", "depthwise": {"channels": 64}},
        {"name": "shallow.1", "depthwise": {"channels": 64, "stride": 2}},
        *_bottlenecks("stage1", 64, 2, "shallow.1"),
        *_bottlenecks("stage2", 128, 4, "stage1.1"),
        {"name": "local", "depthwise": {"channels": 256, "stride": 2}, "inputs": ["stage2.3"]},
        *_bottlenecks("stage3", 256, 2, "stage2.3"),
        {"name": "fusion", "fusion": {}, "inputs": ["local", "stage3.1"]},
        {"name": "mix", "conv": {"channels": 1024, "kernel": 1}},
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {"dropout": 0.2}},
    ]
    about = (
        "HL-CNN: local and global features fused by learned weights; a reading of the paper's text."
    )
    return network("hl-cnn", "HL-CNN", about, input, classes, nodes)
