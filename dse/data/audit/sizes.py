"""Does the size of a file tell its class?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dse.data.audit.finding import Finding, Verdict
from dse.data.audit.trivial import Cue, size_cue

if TYPE_CHECKING:
    from dse.data.dataset import Dataset, Integers, Split

GIVEN_AWAY = 0.5
"""A class is given away by size if it is recognised this much better than by chance."""
OBLONG = 2.0
"""From this ratio of the sides, a picture pressed into a square is hard to recognise."""


def check_sizes(
    data: Dataset, sizes: Integers | None, sources: Integers | None, split: Split | None
) -> tuple[Finding, Cue | None]:
    """Widths and heights of the files, by class, and what a decision tree makes of them.

    `sizes` (N, 2) are those of the files, `sources` those they had before the set was resized,
    where that is noted; these are then judged.
    """
    if sizes is None:
        side = data.image_size
        return Finding("sizes", "ok", f"all images are arrays, used at {side}x{side}"), None
    said, advice = [_range(sizes)], []
    facts: dict[str, object] = {"distinct_sizes": len(np.unique(sizes, axis=0))}
    judged, whose = sizes, "size"
    if sources is not None:
        said = [f"all files {_range(sizes)}" if _one(sizes) else f"files {_range(sizes)}"]
        said.append(f"before they were resized (sources.csv) {_range(sources)}")
        judged, whose = sources, "original size"
    facts["per_class"] = {
        name: _facts(judged[data.labels == label]) for label, name in enumerate(data.classes)
    }
    details = []
    if not _one(judged):
        of_class = {name: judged[data.labels == k] for k, name in enumerate(data.classes)}
        details = [f"{name}: {_range(own)}, {_shape(own)}" for name, own in of_class.items()]
    cue = None
    if split is not None and not _one(judged):
        cue = size_cue(whose, judged, data, split)
        facts["cue"] = cue.document()
        told = {name: gain for name, gain in cue.given_away.items() if gain >= GIVEN_AWAY}
        if told:
            said.append(f"the {whose} alone tells {', '.join(told)} from the rest")
            advice.append(
                "the classes come from different sources: all images are made square and of one "
                "size, but sharpness, compression and proportions may still give them away"
            )
    small = int((sizes.min(axis=1) < data.image_size).sum())
    facts["smaller_than_used"] = small
    if small:
        said.append(
            f"{small:,} smaller than the {data.image_size}x{data.image_size} they are used at"
        )
        advice.append("a smaller --image-size loses nothing on enlarged images")
    oblong = int((sizes.max(axis=1) > OBLONG * sizes.min(axis=1)).sum())
    facts["oblong"] = oblong
    if oblong:
        said.append(f"{oblong:,} more than {OBLONG:g} times as long as wide, or the reverse")
        advice.append("crop oblong pictures: they are pressed into a square")
    verdict: Verdict = "look" if advice else "ok"
    return Finding("sizes", verdict, "; ".join(said), "; ".join(advice), tuple(details), facts), cue


def _one(sizes: Integers) -> bool:
    return bool((sizes == sizes[0]).all())


def _range(sizes: Integers) -> str:
    if _one(sizes):
        return f"{sizes[0, 0]}x{sizes[0, 1]}"
    area = sizes.prod(axis=1)
    least, most = sizes[area.argmin()], sizes[area.argmax()]
    distinct = len(np.unique(sizes, axis=0))
    return f"{least[0]}x{least[1]} to {most[0]}x{most[1]}, {distinct:,} different"


def _shape(sizes: Integers) -> str:
    ratios = sizes[:, 0] / sizes[:, 1]
    return (
        f"width to height {ratios.min():.2f} to {ratios.max():.2f}, median {np.median(ratios):.2f}"
    )


def _facts(sizes: Integers) -> dict[str, object]:
    ratios = sizes[:, 0] / sizes[:, 1]
    return {
        "distinct_sizes": len(np.unique(sizes, axis=0)),
        "median": [int(side) for side in np.median(sizes, axis=0)],
        "least": sizes.min(axis=0).tolist(),
        "most": sizes.max(axis=0).tolist(),
        "aspect": [round(float(np.quantile(ratios, q)), 3) for q in (0, 0.25, 0.5, 0.75, 1)],
    }
