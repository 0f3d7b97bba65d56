"""Are there enough images of each class?"""

from __future__ import annotations

import numpy as np

from dse.data.audit.finding import Finding
from dse.data.dataset import Dataset

UNEVEN = 2.0
"""The ratio of the largest to the smallest class from which plain accuracy misleads."""
FEW = 20
"""Fewer images of a class than this give no accuracy worth a digit."""


def check_classes(data: Dataset) -> Finding:
    """Images per class, and how uneven they are."""
    counts = np.bincount(data.labels, minlength=len(data.classes))
    largest, smallest = int(counts.argmax()), int(counts.argmin())
    ratio = counts[largest] / counts[smallest]
    facts = {
        "images_per_class": dict(zip(data.classes, counts.tolist(), strict=True)),
        "imbalance": round(float(ratio), 2),
        "majority_share": round(float(counts.max() / counts.sum()), 4),
    }
    if counts.max() == counts.min():
        said = f"{len(counts)} classes of {counts[0]:,} images each"
    else:
        said = (
            f"{len(counts)} classes from {counts[smallest]:,} images ({data.classes[smallest]}) to "
            f"{counts[largest]:,} ({data.classes[largest]}), a ratio of {ratio:.1f}"
        )
    advice = []
    if ratio >= UNEVEN:
        advice.append("read balanced accuracy or macro F1 beside accuracy")
    few = [name for name, count in zip(data.classes, counts, strict=True) if count < FEW]
    if few:
        advice.append(f"collect more of {', '.join(few)}: accuracy on a few images is chance")
    return Finding("classes", "look" if advice else "ok", said, "; ".join(advice), facts=facts)
