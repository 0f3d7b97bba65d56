"""Train a network by a recipe, and measure it.

`fit` trains, `score` measures; the rest is one mechanism to a file: `pixels` (data on its device),
`augment`, `balance`, `batches`, `schedule`, `range_test`, `optimizer`, `loss`, `layout`,
`convolutions`, `tune`, `divergence`, `epoch`, `early_stopping`, `training` (from epoch to epoch),
`identity`, `checkpoint`, `log`, `predict`, `metrics`, `bootstrap`, `device`, `threads`, `seeding`.
"""

from dse.runtime.train.device import pick_device
from dse.runtime.train.fit import Fitted, Report, fit
from dse.runtime.train.part import Part
from dse.runtime.train.score import ClassScore, Score, score
from dse.runtime.train.seeding import seeded
from dse.runtime.train.threads import set_threads, threads_for
from dse.runtime.train.tune import Tune

__all__ = [
    "ClassScore",
    "Fitted",
    "Part",
    "Report",
    "Score",
    "Tune",
    "fit",
    "pick_device",
    "score",
    "seeded",
    "set_threads",
    "threads_for",
]
