"""An audit of a data set: what to know before hours are spent on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dse.data.audit.finding import WORST_LAST, Finding, Verdict

if TYPE_CHECKING:
    from dse.data.dataset import Dataset, Split
    from dse.data.decode import Progress

__all__ = ["Audit", "Finding", "Verdict", "audit"]

CHECKS = 10
"""How many there are; the last is left out where the data cannot be divided."""


@dataclass(frozen=True)
class Audit:
    """Everything that was found, in the order in which it is best read."""

    data: Dataset
    place: Path | None
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all verdicts."""
        return max((one.verdict for one in self.findings), key=WORST_LAST.index)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        data = self.data
        return {
            "name": data.name,
            "place": None if self.place is None else str(self.place),
            "digest": data.digest,
            "synthetic": data.synthetic,
            "note": data.note,
            "images": len(data.labels),
            "image_size": data.image_size,
            "channels": data.channels,
            "classes": list(data.classes),
            "verdict": self.verdict,
            "checks": [one.document() for one in self.findings],
        }


def audit(
    data: Dataset,
    place: Path | None = None,
    *,
    seed: int = 0,
    test_fold: int | None = None,
    progress: Progress | None = None,
) -> Audit:
    """Check a data set as `read_dataset` gives it, and the files at `place` (see `place_of`).

    `seed` and `test_fold` are those of the training in question, as for `Dataset.splits`: the
    trivial cues are learnt and read on its parts. `progress(done, total)` is called after each
    check.

    Raises InvalidValue for a fold that does not exist or a negative seed; whatever is wrong with
    the data is a finding.
    """
    findings = []
    for finding in _findings(data, place, seed, test_fold):
        findings.append(finding)
        if progress is not None:
            progress(len(findings), CHECKS)
    return Audit(data, place, tuple(findings))


def _findings(
    data: Dataset, place: Path | None, seed: int, test_fold: int | None
) -> Iterator[Finding]:
    import numpy as np

    from dse.data.audit.classes import check_classes
    from dse.data.audit.contrast import check_contrast
    from dse.data.audit.cues import check_cues
    from dse.data.audit.duplicates import check_duplicates, check_lookalikes
    from dse.data.audit.files import check_files
    from dse.data.audit.formats import check_formats
    from dse.data.audit.originals import read_originals, read_source_sizes
    from dse.data.audit.parts import check_parts
    from dse.data.audit.patients import check_patients
    from dse.data.audit.sizes import check_sizes
    from dse.data.lookalikes import lookalikes_of

    originals, sizes, sources = None, None, None
    if data.files is not None and place is not None and place.is_dir():
        originals = read_originals(place, data.files)
        if None not in originals:
            sizes = np.asarray([(one.width, one.height) for one in originals if one is not None])
        noted = read_source_sizes(place, data.files)
        sources = None if noted is None else np.asarray(noted)
    splits, trouble = _splits(data, seed, test_fold)
    chosen = splits[-1] if splits else None
    size, size_cue = check_sizes(data, sizes, sources, chosen)
    yield check_files(data, place)
    yield check_formats(data, originals)
    yield size
    yield check_contrast(data)
    yield check_classes(data)
    yield check_patients(data)
    yield check_duplicates(data)
    found = lookalikes_of(data)
    yield check_lookalikes(data, found)
    yield check_parts(data, splits, trouble, found)
    if chosen is not None:
        yield check_cues(data, chosen, size_cue)


def _splits(data: Dataset, seed: int, test_fold: int | None) -> tuple[list[Split], str]:
    """Every split that a training might use, the one of `test_fold` last; or why there is none."""
    from dse.errors import DataError

    try:
        chosen = data.splits(seed, test_fold)
        others = [] if data.folds is None else data.folds_of(seed=seed)
    except DataError as error:
        return [], str(error)
    return [split for split in others if split.fold != chosen.fold] + [chosen], ""
