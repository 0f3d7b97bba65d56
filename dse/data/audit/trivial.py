"""How far a classifier gets that cannot see what the images show."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dse.data.dataset import Dataset, Integers, Split

    Floats = NDArray[np.floating[Any]]

PENALTY = 0.1
"""scikit-learn's C for standardised features: strong, as a border has about as many pixels as a
small data set has images. Chosen on the validation folds of chest X-rays, the same for all cues.
"""
MOST_TRAINED = 5_000
"""Images a classifier learns from: more would take minutes and hardly change what it finds."""
LEAVES_OF_SIZE = 8


@dataclass(frozen=True)
class Cue:
    """What a classifier reached on the test part by one cue alone.

    `accuracy` with `low` and `high`, the ends of its 95 % interval (Wilson); `given_away` for each
    class is the share of it that is recognised less the share of other images taken for it: 0 is
    chance, 1 is perfect (Youden's index).
    """

    name: str
    accuracy: float
    low: float
    high: float
    given_away: dict[str, float]

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "cue": self.name,
            "accuracy": round(self.accuracy, 4),
            "interval": [round(self.low, 4), round(self.high, 4)],
            "given_away": {name: round(value, 4) for name, value in self.given_away.items()},
        }


def guessing(data: Dataset, split: Split) -> float:
    """The accuracy on test of always naming the class that is most frequent in the rest."""
    most = np.bincount(data.labels[_learnt(split)]).argmax()
    return float((data.labels[split.test] == most).mean())


def linear_cue(name: str, features: Floats, data: Dataset, split: Split) -> Cue:
    """Logistic regression on features (N, D), learnt on train and val and read on test."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=300, tol=1e-3))
    return _cue(name, model, features.astype(np.float32), data, split)


def size_cue(name: str, sizes: Integers, data: Dataset, split: Split) -> Cue:
    """A small decision tree on width and height (N, 2), learnt on train and val, read on test.

    A tree, because archives are known by single sizes, which no line through all sizes finds.
    """
    from sklearn.tree import DecisionTreeClassifier

    width, height = sizes[:, 0].astype(np.float64), sizes[:, 1].astype(np.float64)
    features = np.stack([width, height, width / height, width * height], axis=1)
    # Weighed by class, or a rare class would be given up for the frequent ones.
    tree = DecisionTreeClassifier(
        max_leaf_nodes=LEAVES_OF_SIZE, class_weight="balanced", random_state=0
    )
    return _cue(name, tree, features, data, split)


def _cue(name: str, model: Any, features: Floats, data: Dataset, split: Split) -> Cue:
    from threadpoolctl import threadpool_limits

    learnt = _learnt(split)
    if len(learnt) > MOST_TRAINED:
        learnt = np.sort(np.random.default_rng(0).choice(learnt, MOST_TRAINED, replace=False))
    # Small products: more threads would only wait for each other. A fit that is cut short, of which
    # scikit-learn warns, is what a cue is worth, too.
    with threadpool_limits(1), warnings.catch_warnings(action="ignore"):
        model.fit(features[learnt], data.labels[learnt])
    said, truth = model.predict(features[split.test]), data.labels[split.test]
    accuracy = float((said == truth).mean())
    low, high = _wilson(accuracy, len(truth))
    given_away = {
        each: float((said[truth == label] == label).mean() - (said[truth != label] == label).mean())
        for label, each in enumerate(data.classes)
    }
    return Cue(name, accuracy, low, high, given_away)


def _learnt(split: Split) -> Integers:
    return np.sort(np.concatenate([split.train, split.val]))


def _wilson(share: float, number: int) -> tuple[float, float]:
    z = 1.96
    centre = share + z * z / (2 * number)
    spread = z * sqrt(share * (1 - share) / number + z * z / (4 * number * number))
    scale = 1 + z * z / number
    return (centre - spread) / scale, (centre + spread) / scale
