"""Search spaces: a network document in which some leaves are holes. Decisions close them.

============================================  ====================================================
``{choose: [8, 16]}``                         one of these values
``{choose: {half: 8, all: {choose: ..}}}``    one of these labels; its value may have holes again
``{between: [1, 8], step: 1, log: false}``    an integer of the range; a real number if one is given
``name: width`` in a hole                     holes of one name are one decision
``name: .width``                              ... in each repetition of the group around it
``{name: a, conv: {..}, repeat: 3}``          the block three times, as ``a.0``, ``a.1``, ``a.2``
``first: {stride: 2}`` beside ``repeat``      fields that differ in the first of them
``otherwise: identity`` beside a block        what stands there where the block does not fit
``{name: s, nodes: [..], repeat: 2}``         a group: its nodes as ``s1_..`` and ``s2_..``
``{choose: {none: [], pool: [..]}}``          one of these lists of nodes
``inputs: [a, b]``                            names of the group, then of those around it
``scale: {choose: [0.5, 1.0]}``               the width multiplier of the whole network
============================================  ====================================================

Labels under one name relate places to each other: where ``name: p`` stands in two choices, they are
decided together.

``otherwise`` is for maps too small for a window and channels that groups do not divide. It is a
whole block; ``identity`` leaves the value as it is. Which of the two stands there shows when shapes
are known, for each copy of a repeated block by itself; the holes of both are decided before.
``first`` changes the other block as well if it is of the same kind.
"""

from dse.space.choices import Categorical, Choice, Integer, Real, Scalar, is_ordered
from dse.space.shipped import DEFAULT_SPACE, load_space, parse_space, space_names
from dse.space.size import Size
from dse.space.space import Bound, Contained, Decisions, Space
from dse.space.stats import Stats

__all__ = [
    "DEFAULT_SPACE",
    "Bound",
    "Categorical",
    "Choice",
    "Contained",
    "Decisions",
    "Integer",
    "Real",
    "Scalar",
    "Size",
    "Space",
    "Stats",
    "is_ordered",
    "load_space",
    "parse_space",
    "space_names",
]
