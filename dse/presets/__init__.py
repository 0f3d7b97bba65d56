"""Presets: the networks of the papers, one family per file. A new one is a file and a line."""

from dse.presets import (
    covid,
    densenet,
    efficientnet,
    googlenet,
    hl_cnn,
    mobilenet,
    mobilenet_v2,
    mobilenet_v3,
    resnet,
    shufflenet,
    squeezenet,
    vgg,
)
from dse.presets.base import load_preset, preset_function, preset_names
from dse.presets.smallest import too_small

__all__ = [
    "covid",
    "densenet",
    "efficientnet",
    "googlenet",
    "hl_cnn",
    "load_preset",
    "mobilenet",
    "mobilenet_v2",
    "mobilenet_v3",
    "preset_function",
    "preset_names",
    "resnet",
    "shufflenet",
    "squeezenet",
    "too_small",
    "vgg",
]
