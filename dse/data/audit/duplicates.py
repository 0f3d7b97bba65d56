"""Is every picture there once?"""

from __future__ import annotations

import numpy as np

from dse.data.audit.finding import Finding
from dse.data.dataset import Dataset
from dse.data.identical import first_of_each
from dse.data.lookalikes import Lookalikes

SHOWN = 3


def check_duplicates(data: Dataset) -> Finding:
    """Files with the same pixels, and whether they have the same label."""
    first = first_of_each(data.images)
    copies = np.flatnonzero(first != np.arange(len(first)))
    sets = [np.flatnonzero(first == one) for one in np.unique(first[copies])]
    torn = [one for one in sets if len(np.unique(data.labels[one])) > 1]
    facts = {
        "identical": [[data.file_of(i) for i in one.tolist()] for one in sets],
        "identical_with_different_labels": [
            [data.file_of(i) for i in one.tolist()] for one in torn
        ],
    }
    if not sets:
        return Finding("duplicates", "ok", "no two images have the same pixels", facts=facts)
    said = (
        f"{_count(len(copies), 'image is a copy', 'images are copies')} of another, pixel for pixel"
    )
    advice = "remove the copies: each counts its picture once more"
    if torn:
        said += f"; {_count(len(torn), 'picture has', 'pictures have')} more than one label"
        advice = "decide for one label of each picture, and remove the copies"
    shown = (torn + [one for one in sets if not any(one is other for other in torn)])[:SHOWN]
    details = [
        " = ".join(f"{data.file_of(i)} ({data.classes[data.labels[i]]})" for i in one[:4].tolist())
        for one in shown
    ]
    if len(sets) > SHOWN:
        details.append(f"and {len(sets) - SHOWN:,} more; --json lists all")
    return Finding("duplicates", "wrong" if torn else "look", said, advice, tuple(details), facts)


def check_lookalikes(data: Dataset, found: Lookalikes) -> Finding:
    """Files that show the same picture in other pixels: resaved, resized, brightened."""
    first = first_of_each(data.images)
    pairs = found.pairs[first[found.pairs[:, 0]] != first[found.pairs[:, 1]]]
    torn = data.labels[pairs[:, 0]] != data.labels[pairs[:, 1]]
    pairs = np.concatenate([pairs[torn], pairs[~torn]])
    judged = int(found.judged.sum())
    facts = {
        "judged": judged,
        "lookalikes": [[data.file_of(a), data.file_of(b)] for a, b in pairs.tolist()],
    }
    if judged == 0:
        what = "drawings" if data.synthetic else "images this small or smooth"
        said = f"not looked for: {what} are alike without being copies"
        return Finding("look-alikes", "ok", said, facts=facts)
    if not len(pairs):
        return Finding("look-alikes", "ok", "no two images show the same picture", facts=facts)
    said = f"{_count(len(pairs), 'pair shows', 'pairs show')} the same picture, or nearly"
    if torn.any():
        said += f", {torn.sum():,} of them under different labels"
    details = []
    for a, b in pairs[:SHOWN].tolist():
        whose = ""
        if data.groups is not None:
            whose = ", one patient" if data.groups[a] == data.groups[b] else ", two patients"
        classes = dict.fromkeys((data.classes[data.labels[a]], data.classes[data.labels[b]]))
        of = f"{' and '.join(classes)}{whose}"
        details.append(f"{data.file_of(a)} ~ {data.file_of(b)} ({of})")
    if len(pairs) > SHOWN:
        details.append(f"and {len(pairs) - SHOWN:,} more; --json lists all")
    advice = "look at them: remove copies, and keep pictures of one scene in one part"
    return Finding("look-alikes", "look", said, advice, tuple(details), facts)


def _count(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
