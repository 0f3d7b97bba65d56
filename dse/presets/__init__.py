"""Presets: the networks of the papers, one family per file. A new one is a file and a line."""

from dse.presets import covid, hl_cnn, mobilenet, squeezenet
from dse.presets.base import load_preset, preset_function, preset_names

__all__ = [
    "covid",
    "hl_cnn",
    "load_preset",
    "mobilenet",
    "preset_function",
    "preset_names",
    "squeezenet",
]
