"""Are the pixels of one kind?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from dse.data.audit.finding import Finding
from dse.data.audit.originals import Original
from dse.data.dataset import Dataset

APART = 0.5
"""Shares of colour in two classes that differ by this much give the class away."""


def check_formats(data: Dataset, originals: Sequence[Original | None] | None) -> Finding:
    """Pixel formats of the files, frames that are left out, and colour that tells the class."""
    said, advice, details = [], [], []
    kind = "gray" if data.channels == 1 else "RGB"
    facts: dict[str, object] = {}
    if originals is None:
        said.append(f"arrays of 8-bit {kind}")
    else:
        modes = Counter(one.mode for one in originals if one is not None)
        facts["modes"] = dict(modes.most_common())
        if len(modes) == 1:
            said.append(f"all files are {next(iter(modes))}")
        else:
            named = ", ".join(f"{count:,} {mode}" for mode, count in modes.most_common())
            said.append(f"{named}; read as 8-bit {kind}")
        several = sum(one is not None and one.frames > 1 for one in originals)
        facts["several_frames"] = several
        if several:
            said.append(f"{several:,} of several frames, of which the first is taken")
            advice.append("see that the first frame is the wanted one")
    shares = _gray_shares(data)
    facts["gray_in_content"] = shares
    if shares is not None and max(shares.values()) - min(shares.values()) >= APART:
        said.append("some classes are gray, others in colour")
        advice.append("colour gives the class away: make all images gray, or find out why")
        details += [f"{name}: {share:.0%} gray" for name, share in shares.items()]
    return Finding(
        "formats",
        "look" if advice else "ok",
        "; ".join(said),
        "; ".join(advice),
        tuple(details),
        facts,
    )


def _gray_shares(data: Dataset) -> dict[str, float] | None:
    """The share of each class's images that are gray in content; None where all must be."""
    if data.channels == 1:
        return None
    images = data.images
    gray = np.asarray([(one[..., :1] == one).all() for one in images])
    return {
        name: round(float(gray[data.labels == label].mean()), 4)
        for label, name in enumerate(data.classes)
    }
