"""Who is on the images?"""

from __future__ import annotations

import numpy as np

from dse.data.audit.finding import Finding
from dse.data.dataset import Dataset

SHOWN = 3


def check_patients(data: Dataset) -> Finding:
    """Patients (or other groups), images of each, and those in several classes."""
    if data.groups is None:
        if data.files is None or data.test is not None or data.folds is not None:
            said = "none are recorded; the published parts are taken as they are"
            if data.test is None and data.folds is None:
                said = "none are recorded; images are divided one by one"
            return Finding("patients", "ok", said, facts={"patients": None})
        return Finding(
            "patients",
            "look",
            "none are known, so images are divided one by one",
            "if several images show one patient or object, name it in a splits.csv with the "
            "columns file, label and patient",
            facts={"patients": None},
        )
    # An image without a patient is its own, under the name of its file.
    files = np.asarray(data.files if data.files is not None else [""] * len(data.groups))
    known = data.groups != files
    names, of, images = np.unique(data.groups[known], return_inverse=True, return_counts=True)
    classes = np.zeros((len(names), len(data.classes)), dtype=np.bool_)
    classes[of, data.labels[known]] = True
    several = np.flatnonzero(classes.sum(axis=1) > 1)
    per_class = {name: int(classes[:, label].sum()) for label, name in enumerate(data.classes)}
    facts = {
        "patients": len(names),
        "patients_per_class": per_class,
        "images_without_patient": int((~known).sum()),
        "patients_of_several_images": int((images > 1).sum()),
        "most_images_of_a_patient": int(images.max()),
        "patients_in_several_classes": [str(name) for name in names[several]],
    }
    said = f"{len(names):,} with one image each"
    if images.max() > 1:
        said = (
            f"{len(names):,}, of whom {(images > 1).sum():,} have several images, "
            f"up to {images.max():,}"
        )
    advice = []
    if len(several):
        shown = ", ".join(
            f"{names[i]} ({' and '.join(np.asarray(data.classes)[classes[i]])})"
            for i in several[:SHOWN]
        )
        said += f"; {len(several):,} in several classes, as {shown}"
        advice.append("see that labels of patients in several classes are meant so")
    if not known.all():
        said += f"; {(~known).sum():,} images without one"
        advice.append("name the patients of the rest in splits.csv")
    details = [
        f"{name}: {(data.labels == label).sum():,} images of {per_class[name]:,} patients"
        for label, name in enumerate(data.classes)
    ]
    return Finding(
        "patients", "look" if advice else "ok", said, "; ".join(advice), tuple(details), facts
    )
