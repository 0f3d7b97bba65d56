"""VGG-19 with batch normalisation."""

from __future__ import annotations

from dse.network import Network
from dse.presets.base import Nodes, network, preset

# Configuration E of the paper: width and number of the convolutions of each stage.
_STAGES = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))


@preset
def vgg_19_bn(classes: int = 1000, input: str = "3x224x224") -> Network:
    """VGG-19 with batch normalisation: sixteen 3x3 convolutions and three linear layers.

    Simonyan and Zisserman, ICLR 2015, Table 1 (configuration E), with the normalisation that
    torchvision added and Rachha used. 143,678,248 trainable parameters with 1000 classes, of which
    the first linear layer has 102,764,544. Images of other sizes are averaged to its 7x7 map.
    """
    nodes: Nodes = []
    for number, (channels, layers) in enumerate(_STAGES, start=1):
        conv = {"conv": {"channels": channels, "bias": True}}
        nodes += [{"name": f"stage{number}.{index}", **conv} for index in range(layers)]
        nodes.append({"name": f"pool{number}", "pool": {}})
    nodes += [
        {"name": "grid", "adaptive_pool": {}},
        {"name": "flatten", "flatten": {}},
        {"name": "fc1", "dense": {"features": 4096}},
        {"name": "fc2", "dense": {"features": 4096, "dropout": 0.5}},
        {"name": "classifier", "classifier": {"dropout": 0.5}},
    ]
    about = "VGG-19 with batch normalisation (Simonyan and Zisserman, ICLR 2015, Table 1)."
    return network("vgg-19-bn", "VGG-19 BN", about, input, classes, nodes)
