"""ResNet-18, -101 and -152."""

from __future__ import annotations

from typing import Any

from dse.network import Network
from dse.presets.base import Nodes, network, one_of, preset


def _resnet(
    depth: int,
    blocks: tuple[int, ...],
    kind: str,
    settings: dict[str, Any],
    input: str,
    classes: int,
) -> Network:
    """Table 1 of the paper: four stages, each of twice the width of the one before."""
    widest = 64 if kind == "residual" else 256
    nodes: Nodes = [
        {"name": "conv1", "conv": {"channels": 64, "kernel": 7, "stride": 2}},
        {"name": "pool1", "pool": {"kernel": 3, "stride": 2, "padding": 1}},
    ]
    for stage, count in enumerate(blocks):
        for index in range(count):
            block = {
                "channels": widest << stage,
                "stride": 2 if stage and not index else 1,
                **settings,
            }
            nodes.append({"name": f"layer{stage + 1}.{index}", kind: block})
    nodes += [
        {"name": "gap", "global_pool": {}},
        {"name": "classifier", "classifier": {}},
    ]
    about = f"ResNet-{depth} (He et al., CVPR 2016, Table 1)."
    return network(f"resnet-{depth}", f"ResNet-{depth}", about, input, classes, nodes)


def _deep(depth: int, blocks: tuple[int, ...], stride_at: str, input: str, classes: int) -> Network:
    one_of(f"resnet-{depth}", "stride_at", stride_at, ("3x3", "1x1"))
    return _resnet(depth, blocks, "bottleneck", {"stride_at": stride_at}, input, classes)


@preset
def resnet_18(classes: int = 1000, input: str = "3x224x224") -> Network:
    """ResNet-18: eight residual blocks of two 3x3 convolutions.

    He et al., Deep Residual Learning, CVPR 2016, Table 1. 11,689,512 trainable parameters and
    1,814,073,344 multiply-adds with 1000 classes at 224x224.
    """
    return _resnet(18, (2, 2, 2, 2), "residual", {}, input, classes)


@preset
def resnet_101(classes: int = 1000, stride_at: str = "3x3", input: str = "3x224x224") -> Network:
    """ResNet-101: 33 bottleneck blocks.

    He et al., CVPR 2016, Table 1; Rachha, Table 3. 44,549,160 trainable parameters with 1000
    classes.

    Args:
        classes: of the classifier.
        stride_at: the convolution that takes a stage's stride: ``3x3`` as in torchvision, timm and
            most published weights, ``1x1`` as in the paper (7.6 x 10^9 multiply-adds there).
        input: an image of another size.
    """
    return _deep(101, (3, 4, 23, 3), stride_at, input, classes)


@preset
def resnet_152(classes: int = 1000, stride_at: str = "3x3", input: str = "3x224x224") -> Network:
    """ResNet-152: 50 bottleneck blocks.

    He et al., CVPR 2016, Table 1; Rachha, Table 3. 60,192,808 trainable parameters with 1000
    classes.

    Args:
        classes: of the classifier.
        stride_at: the convolution that takes a stage's stride: ``3x3`` as in torchvision, timm and
            most published weights, ``1x1`` as in the paper (11.3 x 10^9 multiply-adds there).
        input: an image of another size.
    """
    return _deep(152, (3, 8, 36, 3), stride_at, input, classes)
