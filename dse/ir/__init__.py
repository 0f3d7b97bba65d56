"""The intermediate representation: shapes, primitive ops with their rules, and the tape that
records them.
"""

from dse.ir.named import Named
from dse.ir.ops import Op
from dse.ir.shape import Shape
from dse.ir.tape import Scope, Step, Tape, Value

__all__ = ["Named", "Op", "Scope", "Shape", "Step", "Tape", "Value"]
