"""Whether training-free proxies rank the designs of a run better than their plain sizes do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from dse.atomic import write_atomically
from dse.errors import DataError, InvalidValue
from dse.network import Network
from dse.processes import Pool, pool_state
from dse.runs import COST_KEYS, Run, Trial, direction
from dse.runtime.proxies import COSTS, about_proxy, proxy_names
from dse.runtime.proxies.evaluate import Proxy
from dse.search.rankings import rankings

FILE = "proxies.json"
_FEWEST = 5
Progress = Callable[[int, int], None]
"""Called with how many designs are done, and of how many."""


def rank_proxies(
    run: Run, *, workers: int = 1, progress: Progress = lambda done, total: None
) -> dict[str, Any]:
    """Measure every proxy of every design that the run trained, and how it ranks them.

    Kept in the run's folder as ``proxies.json``; designs measured before under the same conditions
    are not measured again. A run without a data set has only the proxies that read no images.

    Returns:
        ``run metric designs conditions left_out rankings seconds values``: `rankings` are `Ranking`
        with `beats`, `seconds` what each proxy takes for a design of middling MACs, `values` are
        the proxies by trial.

    Raises:
        InvalidValue: too few designs finished, or what the run measured are proxies themselves.
        DataError: the data set is not that of the run.
    """
    metric = next(
        (name for name in run.objectives if name not in (*COST_KEYS, "latency_ms")), "accuracy"
    )
    trials = [trial for trial in run.trials if trial.state == "finished" and metric in trial.values]
    if str(run.settings.get("evaluate", "")).startswith("proxy:"):
        raise InvalidValue(
            f"the run {run.name} was evaluated by {run.settings['evaluate']}: nothing was trained "
            "that a proxy could be held against"
        )
    if len(trials) < _FEWEST:
        raise InvalidValue(
            f"a rank correlation needs at least {_FEWEST} designs with {metric}, the run "
            f"{run.name} has {len(trials)}"
        )
    proxy = _proxy(run)
    conditions = proxy.provenance()
    values, seconds = _kept(run, conditions, trials)
    missing = [trial for trial in trials if str(trial.trial) not in values]
    networks = [trial.network for trial in missing]
    for trial, measured in zip(missing, _measured(proxy, networks, workers, progress), strict=True):
        values[str(trial.trial)] = {
            "digest": trial.digest,
            **{name: value if isfinite(value) else None for name, value in measured.items()},
        }
    names = [
        name
        for name in (*proxy.names, *COSTS)
        if all(_value(trial, name, values) is not None for trial in trials)
    ]
    sign = 1 if direction(metric) == "maximize" else -1
    found = rankings(
        np.array([sign * trial.values[metric] for trial in trials]),
        {name: np.array([_value(trial, name, values) for trial in trials]) for name in names},
    )
    document = {
        "run": run.name,
        "metric": metric,
        "designs": len(trials),
        "conditions": conditions,
        "left_out": [name for name in proxy_names() if name not in names],
        "rankings": [{**asdict(row), "beats": row.beats} for row in found],
        "seconds": {name: seconds.get(name) or _seconds(proxy, name, trials) for name in names},
        "values": values,
    }
    write_atomically(run.folder / FILE, json.dumps(document, indent=2) + "\n")
    return document


def _proxy(run: Run) -> Proxy:
    """The proxies that can be had under the conditions of a run."""
    settings = run.settings
    options = settings.get("options", {})
    dataset = options.get("dataset")
    names = tuple(
        name
        for name in proxy_names()
        if name not in COSTS and (dataset is not None or not about_proxy(name).images)
    )
    if dataset is None:
        return Proxy(names, seed=settings.get("seed", 0))
    proxy = Proxy(
        names,
        dataset=dataset,
        data_dir=Path(options["data_dir"]) if options.get("data_dir") else None,
        image_size=settings.get("image_size"),
        seed=options["seed"],
        fold=options.get("fold"),
    )
    data, _ = proxy.data()
    known = settings.get("data", {}).get("digest")
    if data.digest != known:
        raise DataError(
            f"{dataset}: the data set has changed since the run {run.name}: its content hash was "
            f"{known}, got {data.digest}"
        )
    return proxy


def _seconds(proxy: Proxy, name: str, trials: Sequence[Trial]) -> float:
    """How long a proxy takes for the design of middling MACs, weights included; the shorter of two
    measurements, of which the first reads the images.
    """
    network = sorted(trials, key=lambda trial: trial.cost["macs"])[len(trials) // 2].network
    alone = replace(proxy, names=(name,))
    times = []
    for _ in range(2):
        began = perf_counter()
        alone.measure(network)
        times.append(perf_counter() - began)
    return min(times)


def _kept(
    run: Run, conditions: Mapping[str, Any], trials: Sequence[Trial]
) -> tuple[dict[str, dict[str, Any]], dict[str, float]]:
    """What was measured before under these conditions, by trial, and how long proxies took."""
    try:
        before = json.loads((run.folder / FILE).read_text(encoding="utf-8"))
        if before["conditions"] != conditions:
            return {}, {}
        values = before["values"]
        digests = {str(trial.trial): trial.digest for trial in trials}
        kept = {key: row for key, row in values.items() if digests.get(key) == row["digest"]}
        return kept, dict(before.get("seconds", {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, {}


def _value(trial: Trial, name: str, values: Mapping[str, Mapping[str, Any]]) -> float | None:
    if name in COSTS:
        return trial.cost[name]
    value: float | None = values[str(trial.trial)].get(name)
    return value


def _measured(
    proxy: Proxy, networks: Sequence[Network], workers: int, progress: Progress
) -> Iterator[dict[str, float]]:
    """The proxies of each network, in order."""
    if min(workers, len(networks)) < 2:
        for done, network in enumerate(networks, start=1):
            yield proxy.measure(network)
            progress(done, len(networks))
        return
    pool = Pool(workers, proxy)
    try:
        futures = [pool.submit(_measure_here, network) for network in networks]
        for done, future in enumerate(futures, start=1):
            yield future.result()
            progress(done, len(networks))
    finally:
        pool.close()


def _measure_here(network: Network) -> dict[str, float]:
    proxy: Proxy = pool_state()
    return proxy.measure(network)
