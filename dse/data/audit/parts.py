"""Is what judges a network kept from what teaches it?"""

from __future__ import annotations

from dse.data.audit.finding import Finding
from dse.data.dataset import Dataset, Split
from dse.data.leakage import SHOWN, Leak, divided_patients, leaks_between, summaries
from dse.data.lookalikes import Lookalikes


def check_parts(data: Dataset, splits: list[Split], trouble: str, found: Lookalikes) -> Finding:
    """Patients, pixels and pictures that the parts of a training share.

    `splits` are those that would be used; `trouble` says why there are none.
    """
    divided = divided_patients(data)
    if divided:
        return _divided(data, divided)
    if not splits:
        advice = "mend the parts, or collect more images of the class"
        return Finding("leakage", "wrong", trouble, advice, facts={"leaks": []})
    leaks = leaks_between(data, splits, found)
    facts = {
        "folds": [split.fold for split in splits],
        "parts": [
            {"train": len(split.train), "val": len(split.val), "test": len(split.test)}
            for split in splits
        ],
        "leaks": [_document(data, leak) for leak in leaks],
    }
    if not leaks:
        said = f"{_parts(splits)}: {_nothing(data, found)} is in two parts"
        return Finding("leakage", "ok", said, facts=facts)
    said = "; ".join(summaries(data, leaks))
    if any(leak.kind != "lookalike" for leak in leaks):
        advice = "training refuses these parts; remove the copies, or give each patient one fold"
        return Finding("leakage", "wrong", said, advice, facts=facts)
    advice = "look at the pairs"
    if data.files is not None:
        advice += (
            ": if they show one scene or patient, name it in the patient column of splits.csv, "
            "and they will stay together"
        )
    return Finding("leakage", "look", said, advice, facts=facts)


def _divided(data: Dataset, divided: list[tuple[int, int]]) -> Finding:
    """Published folds or parts that divide patients: nothing can be trained on them."""
    assert data.groups is not None
    what = "parts" if data.folds is None else "folds"
    pairs = [
        {"patient": str(data.groups[a]), "files": [data.file_of(a), data.file_of(b)]}
        for a, b in divided
    ]
    number = len(pairs)
    return Finding(
        "leakage",
        "wrong",
        f"{number:,} {'patient is' if number == 1 else 'patients are'} in several {what}",
        "training refuses this data; give all images of a patient one value in splits.csv",
        tuple(f"{one['patient']}: {', '.join(one['files'])}" for one in pairs[:SHOWN]),
        {"divided_patients": pairs},
    )


def _parts(splits: list[Split]) -> str:
    if len(splits) == 1:
        one = splits[0]
        return f"train {len(one.train):,}, val {len(one.val):,}, test {len(one.test):,}"
    sizes = [len(split.test) for split in splits]
    most = "" if min(sizes) == max(sizes) else f" to {max(sizes):,}"
    return f"{len(splits)} folds of {min(sizes):,}{most} images"


def _nothing(data: Dataset, found: Lookalikes) -> str:
    """What was looked for: patients and pictures are not always there to be compared."""
    looked_for = ["patient"] if data.groups is not None else []
    looked_for += ["pixels", "picture"] if found.judged.any() else ["pixels"]
    *others, last = looked_for
    return f"no {', '.join(others)} or {last}" if others else f"no {last}"


def _document(data: Dataset, leak: Leak) -> dict[str, object]:
    return {
        "kind": leak.kind,
        "fold": leak.fold,
        "parts": list(leak.parts),
        "files": [data.file_of(leak.earlier), data.file_of(leak.later)],
    }
