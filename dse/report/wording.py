"""Numbers and names as people read them. What is no number is written as a dash."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dse.report.snapshot import COSTS, Snapshot, is_number
from dse.runs import Trial

NONE = "–"

LABELS = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "params": "parameters",
    "params_with_buffers": "parameters with buffers",
    "macs": "MACs",
    "latency_ms": "latency",
    "peak_activation_bytes": "peak activation memory",
    "size_bytes": "size of weights",
    "auroc": "AUROC",
    "rungs": "rungs (epochs)",
}


def label(key: str) -> str:
    """A metric's or cost's name for people."""
    return LABELS.get(key, key.replace("_", " "))


def scored(run: Snapshot) -> str:
    """What designs are compared by: ``validation accuracy``, or ``zico`` where none is trained."""
    return f"validation {label(run.quality)}" if run.trained else label(run.quality)


def begun(text: str) -> str:
    """Text that begins a cell or a sentence."""
    return text[:1].upper() + text[1:]


def measure(key: str, value: Any) -> str:
    """A value of a metric or cost, with its unit."""
    if not is_number(value):
        return NONE
    if key.endswith("accuracy"):
        return percent(value)
    if key.endswith("_bytes"):
        return size(value)
    if key == "latency_ms":
        return f"{value:.3g} ms"
    return count(value) if key in ("params", "params_with_buffers", "macs") else f"{value:.4g}"


def latency(trial: Trial) -> str:
    """``4.12 ms``, and beside a predicted one what was measured: ``4.12 ms predicted, 4.41 ms
    measured (4.32 to 4.5)``.
    """
    found = measure("latency_ms", trial.latency_ms)
    if trial.measured_ms is None:
        return found
    measured = f"{found} predicted, {measure('latency_ms', trial.measured_ms)} measured"
    if trial.measured_interval is None:
        return measured
    low, high = trial.measured_interval
    return f"{measured} ({low:.3g} to {high:.3g})"


def change(key: str, value: Any) -> str:
    """A difference of two values of a metric, with its sign: ``+1.2 points``."""
    if not is_number(value):
        return NONE
    return f"{100 * value:+.1f} points" if key.endswith("accuracy") else f"{value:+.3g}"


def difference(value: Any) -> str:
    """A whole number with its sign: ``+1,234``, ``0``."""
    if not is_number(value):
        return NONE
    return f"{value:+,.0f}" if value else "0"


def limit(key: str, value: Any) -> str:
    """A budget: ``up to 300 k parameters``."""
    if key.endswith("_bytes"):
        return f"up to {size(value)} of {label(key).removeprefix('size of ')}"
    if key == "latency_ms":
        return f"up to {measure(key, value)} latency"
    return f"up to {short(value)} {label(key)}"


def gain(objectives: Sequence[str], before: Trial, after: Trial) -> str:
    """What a design has over another: ``+2.1 points, 0.41 × parameters``."""
    told = []
    for name in objectives:
        a, b = before.objective(name), after.objective(name)
        if a is None or b is None:
            continue
        costs = name in COSTS and a > 0
        told.append(f"{b / a:.2g} × {label(name)}" if costs else change(name, b - a))
    return ", ".join(told)


def percent(value: Any, digits: int = 1) -> str:
    """``83.1%``."""
    return f"{100 * value:.{digits}f}%" if is_number(value) else NONE


def span(low: Any, high: Any) -> str:
    """``78.2 to 87.6%``."""
    return f"{100 * low:.1f} to {100 * high:.1f}%" if is_number(low) and is_number(high) else NONE


def ratio(value: Any) -> str:
    """``0.62``."""
    return f"{value:.2f}" if is_number(value) else NONE


def along(value: float, scale: tuple[float, float], back: bool = False) -> str:
    """Where a value lies on a scale, in percent from its start, or `back` from its end."""
    share = (min(max(value, scale[0]), scale[1]) - scale[0]) / (scale[1] - scale[0])
    return f"{100 * (1 - share if back else share):.2f}"


def when(moment: Any) -> str:
    """An ISO time to the minute: ``2026-03-01 10:00``."""
    return str(moment)[:16].replace("T", " ")


def count(value: Any) -> str:
    """``1,234,567``."""
    return f"{value:,.0f}" if is_number(value) else NONE


def short(value: Any) -> str:
    """``1.23 M``."""
    if not is_number(value):
        return NONE
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= 0.9995 * limit:
            return f"{value / limit:.3g} {unit}"
    return f"{value:.3g}"


def size(value: Any) -> str:
    """``1.5 MiB``."""
    if not is_number(value):
        return NONE
    for limit, unit in ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB")):
        if value >= 0.9995 * limit:
            return f"{value / limit:{'.3g' if value < 999.5 * limit else '.0f'}} {unit}"
    return f"{value:.0f} B"


def many(number: int, noun: str) -> str:
    """``1 trial``, ``21 trials``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: Any) -> str:
    """``1 h 23 min``, ``4 min 10 s``, ``3.2 s``."""
    if not is_number(seconds):
        return NONE
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def plain(value: Any) -> str:
    """A setting of any kind, without JSON's quotes and brackets where nothing is lost by it."""
    if value is None:
        return NONE
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{k}: {plain(v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(plain(v) for v in value) or NONE
    return f"{value:g}" if isinstance(value, float) else str(value)
