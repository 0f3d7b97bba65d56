"""What separates two networks, block by block, and which preset a network is nearest to."""

from dse.diff.compare import Diff, Row, diff
from dse.diff.fields import Change
from dse.diff.nearest import Nearest, nearest_preset, preset_label

__all__ = ["Change", "Diff", "Nearest", "Row", "diff", "nearest_preset", "preset_label"]
