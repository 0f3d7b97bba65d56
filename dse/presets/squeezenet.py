"""SqueezeNet 1.0 and 1.1, and Res-SqueezeNet, which continues the latter."""

from __future__ import annotations

from dse.network import Network
from dse.presets.base import Nodes, network, preset

_POOL = {"kernel": 3, "stride": 2, "ceil_mode": True}


def _fire(number: int, squeeze: int, expand: int) -> dict[str, object]:
    return {
        "name": f"fire{number}",
        "fire": {"squeeze": squeeze, "expand1x1": expand, "expand3x3": expand},
    }


def _pool(number: int) -> dict[str, object]:
    return {"name": f"pool{number}", "pool": _POOL}


def _trunk_1_1() -> Nodes:
    stem = {"channels": 64, "kernel": 3, "stride": 2, "padding": 0, "norm": False}
    return [
        {"name": "conv1", "conv": stem},
        _pool(1),
        _fire(2, 16, 64),
        _fire(3, 16, 64),
        _pool(3),
        _fire(4, 32, 128),
        _fire(5, 32, 128),
        _pool(5),
        _fire(6, 48, 192),
        _fire(7, 48, 192),
        _fire(8, 64, 256),
        _fire(9, 64, 256),
    ]


@preset
def squeezenet(classes: int = 1000, input: str = "3x224x224") -> Network:
    """SqueezeNet 1.0: fire modules in place of 3x3 convolutions.

    Iandola et al., arXiv:1602.07360, Table 1. 1,248,424 trainable parameters with 1000 classes;
    736,963 with the 3 classes of SPP-COVID-Net's Table II. Convolutions have biases and no batch
    normalisation.
    """
    stem = {"channels": 96, "kernel": 7, "stride": 2, "padding": 0, "norm": False}
    nodes: Nodes = [
        {"name": "conv1", "conv": stem},
        _pool(1),
        _fire(2, 16, 64),
        _fire(3, 16, 64),
        _fire(4, 32, 128),
        _pool(4),
        _fire(5, 32, 128),
        _fire(6, 48, 192),
        _fire(7, 48, 192),
        _fire(8, 64, 256),
        _pool(8),
        _fire(9, 64, 256),
        {"name": "conv10", "conv_classifier": {"dropout": 0.5}},
    ]
    about = "SqueezeNet 1.0 (Iandola et al., arXiv:1602.07360, Table 1)."
    return network("squeezenet", "SqueezeNet", about, input, classes, nodes)


@preset
def squeezenet_1_1(classes: int = 1000, input: str = "3x224x224") -> Network:
    """SqueezeNet 1.1: a smaller stem and earlier pooling, 2.4 times fewer multiply-adds than 1.0.

    The authors' second release, compared in Res-SqueezeNet's Table 1. 1,235,496 trainable
    parameters with 1000 classes.
    """
    nodes = [*_trunk_1_1(), {"name": "conv10", "conv_classifier": {"dropout": 0.5}}]
    about = "SqueezeNet 1.1 (the second release of Iandola et al., arXiv:1602.07360)."
    return network("squeezenet-1.1", "SqueezeNet 1.1", about, input, classes, nodes)


@preset
def res_squeezenet(classes: int = 9, input: str = "3x227x227") -> Network:
    """Res-SqueezeNet: the trunk of SqueezeNet 1.1 continued by two residual blocks.

    Res-SqueezeNet, Figure 9's listing. Two basic blocks of 512 channels follow fire9: the first
    with stride 2 and a projected shortcut, the second with the identity. 10,431,561 trainable
    parameters with the paper's 9 classes; its table prints sizes of saved files (44.28 MB), from
    which no count can be derived.
    """
    nodes = [
        *_trunk_1_1(),
        {"name": "residual1", "residual": {"channels": 512, "stride": 2}},
        {"name": "residual2", "residual": {"channels": 512}},
        {"name": "conv10", "conv_classifier": {"dropout": 0.5}},
    ]
    about = "Res-SqueezeNet: SqueezeNet 1.1 continued by two residual blocks (its Figure 9)."
    return network("res-squeezenet", "Res-SqueezeNet", about, input, classes, nodes)
