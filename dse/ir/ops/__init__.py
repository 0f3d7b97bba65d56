"""The primitive operations and their rules, each stated once.

Every op knows, from the shapes of its inputs: the shape of its output, its trainable parameters,
its buffers (batch-norm running statistics), and its multiply-accumulates. Cost, latency, drawings,
ONNX and source code are walks over these ops; how an op is *written* in torch is in
``templates/torch/ops.py.j2``.

MACs are multiply-adds of convolutions and linear layers, counted once; bias and element-wise work
apart.
"""

from dse.ir.ops.base import OPS, Op, PoolMode, primitive
from dse.ir.ops.elementwise import (
    Act,
    Add,
    Cat,
    ChannelShuffle,
    Dropout,
    Flatten,
    LocalResponseNorm,
    Mul,
)
from dse.ir.ops.layers import BatchNorm, ChannelConv, Conv, Linear, Parameter
from dse.ir.ops.pooling import AdaptivePool, BlurPool, FractionalMaxPool, GlobalPool, Pool

__all__ = [
    "OPS",
    "Act",
    "AdaptivePool",
    "Add",
    "BatchNorm",
    "BlurPool",
    "Cat",
    "ChannelConv",
    "ChannelShuffle",
    "Conv",
    "Dropout",
    "Flatten",
    "FractionalMaxPool",
    "GlobalPool",
    "Linear",
    "LocalResponseNorm",
    "Mul",
    "Op",
    "Parameter",
    "Pool",
    "PoolMode",
    "primitive",
]
