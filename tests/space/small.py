"""Spaces small enough to list every design of."""

from __future__ import annotations

TINY = """
network:
  input: 3x12x12
  classes: 3
  scale: {choose: [0.5, 1.0]}
  nodes:
    - {name: stem, conv: {channels: {between: [2, 4], log: true}, stride: {choose: [1, 2]}}}
    - name: stage
      repeat: {between: [0, 2]}
      nodes:
        - name: .kind
          choose:
            plain: {conv: {channels: 8}, repeat: {between: [1, 2]}, first: {stride: 2}}
            shuffle: {shuffle: {channels: 12, groups: {choose: [1, 3]}}, otherwise: identity}
            nothing: []
    - name: tail
      choose:
        none: []
        branched:
          - {name: split, identity: {}}
          - {name: left, conv: {channels: &wide {choose: [4, 6], name: wide}}}
          - name: right
            inverted:
              channels: *wide
              attention: {choose: {no: null, se: {squeeze_excite: {reduction: {choose: [2, 4]}}}}}
            repeat: {between: [1, 2]}
            inputs: split
          - {name: sum, fusion: {}, inputs: [left, right]}
    - {name: pool, global_pool: {}}
    - {name: classifier, classifier: {dropout: 0.5}}
"""

SHUFFLED = """
network:
  input: 3x8x8
  classes: 2
  nodes:
    - {name: stem, conv: {channels: {choose: [4, 6, 9]}, padding: 0, stride: {choose: [1, 2, 4]}}}
    - {name: body, shuffle: {channels: {choose: [8, 12]}, groups: {choose: [2, 3]}}}
    - {name: pool, pool: {kernel: {choose: [2, 3]}, padding: 0}}
    - name: head
      choose:
        pooled: [{name: pooled, global_pool: {}}, {name: classifier, classifier: {}}]
        forgotten: [{name: pooled, global_pool: {}}]
"""
"""Many of its designs cannot be built."""
