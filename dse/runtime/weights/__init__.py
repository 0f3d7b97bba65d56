"""Weights on disk: written under our names, read under anybody's.

`read` opens a file, `layers` groups its tensors, `match` finds for each layer of ours the one of
the file, `load` copies.
"""

from dse.runtime.weights.load import Loaded, load_weights
from dse.runtime.weights.save import save_weights

__all__ = ["Loaded", "load_weights", "save_weights"]
