"""Blocks: the node types of networks, one mechanism per file. A new one is a file and a line."""

from dse.blocks.attention import EfficientChannelAttention, SqueezeExcite
from dse.blocks.base import Attention, Block, block_class, block_kinds, read_block
from dse.blocks.conv import Conv, SqueezeTriple
from dse.blocks.dense_block import BatchNorm, DenseLayer, Transition
from dse.blocks.depthwise import DepthwiseSeparable
from dse.blocks.fire import Fire
from dse.blocks.fusion import LearnableFusion
from dse.blocks.head import Classifier, ConvClassifier, Dense, Flatten, GlobalPool
from dse.blocks.inception import Inception
from dse.blocks.inverted import InvertedResidual
from dse.blocks.pool import (
    AdaptivePool,
    BlurPool,
    FractionalPool,
    Identity,
    LocalNorm,
    Pool,
    StridedConv,
)
from dse.blocks.pyramid import AdaptivePyramid, SpatialPyramid
from dse.blocks.residual import Bottleneck, Residual
from dse.blocks.shuffle import ShuffleUnit

__all__ = [
    "AdaptivePool",
    "AdaptivePyramid",
    "Attention",
    "BatchNorm",
    "Block",
    "BlurPool",
    "Bottleneck",
    "Classifier",
    "Conv",
    "ConvClassifier",
    "Dense",
    "DenseLayer",
    "DepthwiseSeparable",
    "EfficientChannelAttention",
    "Fire",
    "Flatten",
    "FractionalPool",
    "GlobalPool",
    "Identity",
    "Inception",
    "InvertedResidual",
    "LearnableFusion",
    "LocalNorm",
    "Pool",
    "Residual",
    "ShuffleUnit",
    "SpatialPyramid",
    "SqueezeExcite",
    "SqueezeTriple",
    "StridedConv",
    "Transition",
    "block_class",
    "block_kinds",
    "read_block",
]
