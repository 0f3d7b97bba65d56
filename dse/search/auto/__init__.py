"""`auto`: a sampler of our own, which knows what every design costs before it is evaluated.

======================  ==========================================================================
`encoding.py`           points as numbers
`surrogate.py`          what evaluated points say about others, and how sure that is
`gain.py`               what a point may add to the best value, or to the front
`reservoir.py`          random points that fit, spread in cost
`moves.py`              small changes of the best points
`sampler.py`            the sampler, on Optuna's interface
======================  ==========================================================================
"""

from dse.search.auto.sampler import Auto

__all__ = ["Auto"]
