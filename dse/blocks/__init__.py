"""Blocks: the node types of networks, one mechanism per file. A new one is a file and a line."""

from dse.blocks.attention import EfficientChannelAttention, SqueezeExcite
from dse.blocks.base import Attention, Block, block_class, block_kinds, read_block
from dse.blocks.conv import Conv, SqueezeTriple
from dse.blocks.depthwise import DepthwiseSeparable
from dse.blocks.fire import Fire
from dse.blocks.fusion import LearnableFusion
from dse.blocks.head import Classifier, ConvClassifier, Dense, Flatten, GlobalPool
from dse.blocks.inverted import InvertedResidual
from dse.blocks.pool import BlurPool, FractionalPool, Identity, Pool, StridedConv
from dse.blocks.pyramid import AdaptivePyramid, SpatialPyramid
from dse.blocks.residual import Residual

__all__ = [
    "AdaptivePyramid",
    "Attention",
    "Block",
    "BlurPool",
    "Classifier",
    "Conv",
    "ConvClassifier",
    "Dense",
    "DepthwiseSeparable",
    "EfficientChannelAttention",
    "Fire",
    "Flatten",
    "FractionalPool",
    "GlobalPool",
    "Identity",
    "InvertedResidual",
    "LearnableFusion",
    "Pool",
    "Residual",
    "SpatialPyramid",
    "SqueezeExcite",
    "SqueezeTriple",
    "StridedConv",
    "block_class",
    "block_kinds",
    "read_block",
]
