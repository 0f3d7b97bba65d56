"""GoogLeNet."""

from __future__ import annotations

from dse.network import Network
from dse.presets.base import Nodes, network, one_of, preset

_FIELDS = ("conv1x1", "reduce3x3", "conv3x3", "reduce5x5", "conv5x5", "pool")

# Table 1 of the paper.
_STAGES = {
    "inception3": (
        (64, 96, 128, 16, 32, 32),
        (128, 128, 192, 32, 96, 64),
    ),
    "inception4": (
        (192, 96, 208, 16, 48, 64),
        (160, 112, 224, 24, 64, 64),
        (128, 128, 256, 24, 64, 64),
        (112, 144, 288, 32, 64, 64),
        (256, 160, 320, 32, 128, 128),
    ),
    "inception5": (
        (256, 160, 320, 32, 128, 128),
        (384, 192, 384, 48, 128, 128),
    ),
}


@preset
def googlenet(classes: int = 1000, variant: str = "paper", input: str = "3x224x224") -> Network:
    """GoogLeNet (Inception V1): four branches of several kernel sizes in each module.

    Szegedy et al., Going Deeper with Convolutions, CVPR 2015, Table 1, without the two auxiliary
    classifiers, which serve training alone. 6,998,552 trainable parameters with 1000 classes.

    Args:
        classes: of the classifier.
        variant: ``paper`` has local response normalisation, biases and 5x5 convolutions;
            ``torchvision`` has batch normalisation throughout, 3x3 convolutions where the paper has
            5x5, a 2x2 last pool and less dropout, as torchvision's weights need (6,624,904).
        input: an image of another size.
    """
    one_of("googlenet", "variant", variant, ("paper", "torchvision"))
    paper = variant == "paper"
    pool = {"kernel": 3, "stride": 2, "ceil_mode": True}
    norm: Nodes = [{"local_norm": {}}] if paper else []
    nodes: Nodes = [
        {"name": "conv1", "conv": {"channels": 64, "kernel": 7, "stride": 2, "norm": not paper}},
        {"name": "pool1", "pool": pool},
        *({"name": "norm1", **node} for node in norm),
        {"name": "conv2", "conv": {"channels": 64, "kernel": 1, "norm": not paper}},
        {"name": "conv3", "conv": {"channels": 192, "norm": not paper}},
        *({"name": "norm2", **node} for node in norm),
        {"name": "pool2", "pool": pool},
    ]
    for number, (stage, rows) in enumerate(_STAGES.items(), start=3):
        if number == 4:
            nodes.append({"name": "pool3", "pool": pool})
        elif number == 5:
            last = pool if paper else {"kernel": 2, "stride": 2, "ceil_mode": True}
            nodes.append({"name": "pool4", "pool": last})
        for index, row in enumerate(rows):
            settings = {
                **dict(zip(_FIELDS, row, strict=True)),
                "kernel": 5 if paper else 3,
                "norm": not paper,
            }
            nodes.append({"name": f"{stage}.{index}", "inception": settings})
    nodes += [
        {"name": "gap", "global_pool": {}},
        {"name": "classifier", "classifier": {"dropout": 0.4 if paper else 0.2}},
    ]
    about = "GoogLeNet (Szegedy et al., CVPR 2015, Table 1), without auxiliary classifiers."
    return network("googlenet", "GoogLeNet", about, input, classes, nodes)
