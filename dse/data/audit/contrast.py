"""Is there anything on the images?"""

from __future__ import annotations

import numpy as np

from dse.data.audit.finding import Finding
from dse.data.dataset import Dataset

FLAT = 2.0
"""Gray levels of standard deviation below which an image is blank."""
DARK = 32
"""The level that no pixel of a nearly black image reaches: 12 bits in a 16-bit file end at 16."""
SHOWN = 3


def check_contrast(data: Dataset) -> Finding:
    """Blank images, and images that are nearly black."""
    pixels = data.images.reshape(len(data.images), -1)
    brightest = pixels.max(axis=1)
    # In turn: all deviations at once would take eight times the memory of the images.
    flat = np.asarray([one.std() < FLAT for one in pixels])
    dark = ~flat & (brightest < DARK)
    facts = {
        "blank": [data.file_of(i) for i in np.flatnonzero(flat).tolist()],
        "nearly_black": [data.file_of(i) for i in np.flatnonzero(dark).tolist()],
    }
    if not flat.any() and not dark.any():
        return Finding("contrast", "ok", "no image is blank or nearly black", facts=facts)
    said, advice = [], []
    if flat.any():
        said.append(f"{flat.sum():,} blank ({_first(facts['blank'])})")
        advice.append("remove blank images")
    if dark.any():
        said.append(f"{dark.sum():,} nearly black ({_first(facts['nearly_black'])})")
        advice.append(
            "if they hold 10 or 12 bits in 16, multiply them to the full range and save them again"
        )
    return Finding("contrast", "look", ", ".join(said), "; ".join(advice), facts=facts)


def _first(files: list[str]) -> str:
    return ", ".join(files[:SHOWN]) + (", ..." if len(files) > SHOWN else "")
