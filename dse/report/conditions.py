"""How a run was made: the facts that someone needs to make it again, and to doubt it."""

from __future__ import annotations

from typing import Any

from dse.report.snapshot import Snapshot, is_number
from dse.report.wording import NONE, count, duration, label, measure, plain

Facts = list[tuple[str, str]]

REFUSALS = {
    "over_budget": "over budget, never trained",
    "duplicates": "equal to a design tried before",
    "invalid": "no network can be built so",
    "failed": "failed while training",
    "stopped": "stopped after a part of their epochs, others being better by then",
}


def conditions(snapshot: Snapshot) -> list[tuple[str, Facts]]:
    """Titled groups of facts; what the settings do not say is left out."""
    groups = [
        ("Search", _search(snapshot)),
        ("Budget", budget(snapshot)),
        ("Data", _data(snapshot)),
        ("Training", _training(snapshot)),
        ("Machine", _machine(snapshot)),
    ]
    return [(title, facts) for title, facts in groups if facts]


def synthetic(snapshot: Snapshot) -> bool:
    """Whether the images are drawn by a program: the settings say so, or any trial does."""
    if snapshot.part("data").get("synthetic") is True:
        return True
    return any(_mapping(trial.provenance).get("synthetic") is True for trial in snapshot.trials)


def budget(snapshot: Snapshot) -> Facts:
    """The hard limits; of MACs both ways, since papers print either as FLOPs."""
    facts: Facts = []
    for key, limit in snapshot.part("budget").items():
        if is_number(limit):
            text = measure(str(key), limit)
            if key == "macs":
                text += f" (FLOPs, 2 × MACs: {count(2 * limit)})"
            facts.append((label(str(key)), f"at most {text}"))
    return facts


def _search(snapshot: Snapshot) -> Facts:
    settings = snapshot.settings
    done, wanted = len(snapshot.trials), settings.get("trials")
    facts = [
        ("space", settings.get("space")),
        ("objectives", ", ".join(label(name) for name in snapshot.objectives)),
        ("sampler", settings.get("sampler")),
        ("seed", settings.get("seed")),
        ("trials", f"{done} of {count(wanted)}" if is_number(wanted) else str(done)),
    ]
    counts = snapshot.part("counts")
    facts += [(words, counts.get(key)) for key, words in REFUSALS.items()]
    facts += [("started", settings.get("started")), ("wall time", _seconds(settings))]
    return _known(facts)


def _seconds(settings: dict[str, Any]) -> str | None:
    seconds = settings.get("seconds")
    return duration(seconds) if is_number(seconds) else None


def _data(snapshot: Snapshot) -> Facts:
    data = snapshot.part("data")
    seen = _seen(snapshot)
    split = _mapping(data.get("split"))
    sizes = [f"{split[part]} {part}" for part in ("train", "val", "test") if part in split]
    fold = split.get("fold", seen.get("fold"))
    images = data.get("images")
    return _known(
        [
            ("data set", data.get("name", seen.get("dataset"))),
            ("images", count(images) if is_number(images) else None),
            ("classes", data.get("classes")),
            ("content hash", data.get("digest", seen.get("dataset_digest"))),
            ("synthetic", data.get("synthetic", seen.get("synthetic"))),
            ("parts", ", ".join(sizes) or None),
            ("test fold", fold),
            ("split by patient", split.get("grouped")),
            ("files skipped", data.get("skipped")),
        ]
    )


def _training(snapshot: Snapshot) -> Facts:
    settings = snapshot.settings
    recipe = snapshot.part("recipe") or _seen(snapshot).get("recipe")
    facts = [
        ("epochs per trial", settings.get("epochs")),
        ("image size", settings.get("image_size")),
    ]
    if isinstance(recipe, dict):
        facts.append(("recipe", recipe.get("name")))
        facts += [(label(str(key)), value) for key, value in recipe.items() if key != "name"]
    return _known(facts)


def _machine(snapshot: Snapshot) -> Facts:
    machine = snapshot.part("machine")
    facts = [("dse", snapshot.settings.get("dse"))]
    facts += [(str(key).replace("_", " "), value) for key, value in machine.items()]
    predicted = snapshot.part("latency")
    facts += [
        ("latency predicted for", predicted.get("machine")),
        ("latency not measured", predicted.get("elsewhere")),
    ]
    if "device" not in machine:
        facts.append(("device", _seen(snapshot).get("device")))
    return _known(facts)


def _seen(snapshot: Snapshot) -> dict[str, Any]:
    """What the first trial says of the conditions it was made under."""
    return next((_mapping(trial.provenance) for trial in snapshot.trials), {})


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _known(facts: list[tuple[str, Any]]) -> Facts:
    told = [(name, plain(value)) for name, value in facts if value is not None and value != ""]
    return [(name, text) for name, text in told if text not in ("", NONE)]
