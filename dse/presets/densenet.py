"""DenseNet-169 and -201."""

from __future__ import annotations

from dse.network import Network
from dse.presets.base import Nodes, network, preset


def _densenet(depth: int, blocks: tuple[int, ...], input: str, classes: int) -> Network:
    """Table 1 of the paper: four dense blocks of growth 32, transitions that halve between them."""
    nodes: Nodes = [
        {"name": "conv0", "conv": {"channels": 64, "kernel": 7, "stride": 2}},
        {"name": "pool0", "pool": {"kernel": 3, "stride": 2, "padding": 1}},
    ]
    for number, layers in enumerate(blocks, start=1):
        nodes += [{"name": f"block{number}.{i}", "dense_layer": {}} for i in range(layers)]
        if number < len(blocks):
            nodes.append({"name": f"transition{number}", "transition": {}})
    nodes += [
        {"name": "norm", "batch_norm": {}},
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {}},
    ]
    about = f"DenseNet-{depth} (Huang et al., CVPR 2017, Table 1)."
    return network(f"densenet-{depth}", f"DenseNet-{depth}", about, input, classes, nodes)


@preset
def densenet_169(classes: int = 1000, input: str = "3x224x224") -> Network:
    """DenseNet-169: every layer reads all that came before it in its block.

    Huang et al., Densely Connected Convolutional Networks, CVPR 2017, Table 1; compared in Rachha,
    section 4.3. 14,149,480 trainable parameters with 1000 classes.
    """
    return _densenet(169, (6, 12, 32, 32), input, classes)


@preset
def densenet_201(classes: int = 1000, input: str = "3x224x224") -> Network:
    """DenseNet-201: as DenseNet-169, with 48 layers in the third block.

    Huang et al., Densely Connected Convolutional Networks, CVPR 2017, Table 1; compared in Rachha,
    section 4.3. 20,013,928 trainable parameters with 1000 classes.
    """
    return _densenet(201, (6, 12, 48, 32), input, classes)
