"""Rank correlation of proxies, against SciPy, and what is said of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from dse.errors import InvalidValue
from dse.runs import Run
from dse.runtime.proxies.evaluate import Proxy
from dse.search import search
from dse.search.proxy_ranks import FILE, rank_proxies
from dse.search.rankings import Ranking, rankings
from dse.space import Space

NUMBERS = st.lists(st.tuples(*[st.integers(0, 6)] * 3), min_size=5, max_size=25)


def by_name(found: list[Ranking]) -> dict[str, Ranking]:
    return {row.proxy: row for row in found}


@given(NUMBERS)
def test_tau_is_that_of_scipy(rows: list[tuple[int, int, int]]) -> None:
    metric, x, params = np.array(rows, dtype=float).T
    found = by_name(rankings(metric, {"x": x, "params": params, "macs": params}))
    for name, values in (("x", x), ("params", params)):
        expected = kendalltau(values, metric, variant="b").statistic
        if np.isnan(expected):
            assert found[name].tau is None
        else:
            assert found[name].tau == pytest.approx(expected)


def test_within_is_over_pairs_of_the_same_third() -> None:
    params = np.repeat([1.0, 2.0, 3.0], 4)
    metric = np.arange(12.0)
    # Right in each third, and wrong between them: overall it ranks badly.
    x = np.concatenate([[8, 9, 10, 11], [4, 5, 6, 7], [0, 1, 2, 3]]).astype(float)
    found = by_name(rankings(metric, {"x": x, "params": params, "macs": -metric}))
    assert found["x"].within == 1
    assert found["x"].within_interval == (1, 1)
    assert found["x"].tau is not None
    assert found["x"].tau < 0
    # All of one size: parameters cannot rank them.
    assert found["params"].within is None
    assert found["macs"].within == -1
    assert found["x"].lead == 2
    assert found["x"].beats is True
    assert [row.proxy for row in rankings(metric, {"x": x, "params": params, "macs": -metric})] == [
        "x",
        "macs",
        "params",
    ]


def test_the_interval_of_noise_holds_zero_and_of_a_strong_proxy_does_not() -> None:
    draw = np.random.default_rng(0)
    metric = draw.normal(size=60)
    proxies = {
        "strong": metric + 0.2 * draw.normal(size=60),
        "noise": draw.normal(size=60),
        "params": draw.normal(size=60),
        "macs": draw.normal(size=60),
    }
    found = by_name(rankings(metric, proxies))
    low, high = found["noise"].interval or (1, 1)
    assert low < 0 < high
    low, high = found["strong"].interval or (0, 0)
    assert 0.5 < low < high < 1
    assert found["strong"].beats is True
    assert found["noise"].beats is None
    assert found["params"].lead is None
    assert rankings(metric, proxies) == rankings(metric, proxies)
    assert by_name(rankings(-metric, proxies))["strong"].beats is False


def accuracy(candidate: Any, report: Any) -> dict[str, float]:
    return {"accuracy": candidate.cost.params / 1e6}


@pytest.fixture
def run(many: Space) -> Run:
    return search(many, accuracy, trials=6, run="r")


def test_a_run_is_ranked_and_keeps_it(run: Run) -> None:
    document = rank_proxies(run)
    assert json.loads((run.folder / FILE).read_text()) == json.loads(json.dumps(document))
    assert (document["metric"], document["designs"]) == ("accuracy", 6)
    rows = {row["proxy"]: row for row in document["rankings"]}
    # The metric of this run is the number of parameters; without a data set there are no images.
    assert rows.keys() == {"synflow", "params", "macs"}
    assert rows["params"]["tau"] == 1
    assert rows["synflow"]["beats"] is not True
    assert "zico" in document["left_out"]
    first = run.trials[0]
    expected = Proxy(("synflow",)).measure(first.network)["synflow"]
    assert document["values"][str(first.trial)]["synflow"] == expected


def test_what_was_measured_is_not_measured_again(
    run: Run, many: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = rank_proxies(run)
    measured: list[str] = []
    original = Proxy.measure

    def counted(self: Proxy, network: Any) -> dict[str, float]:
        measured.append(network.digest)
        return original(self, network)

    monkeypatch.setattr(Proxy, "measure", counted)
    assert rank_proxies(run) == first
    assert measured == []
    search(many, accuracy, trials=8, run="r", resume=True)
    assert rank_proxies(run)["designs"] == 8
    assert measured == [row.digest for row in run.trials[6:]]
    # A damaged file is as none.
    (run.folder / FILE).write_text('{"conditions"')
    rank_proxies(run)
    assert len(measured) == 2 + 8 + 2 * 3  # and each of three proxies is timed twice


def test_a_loss_is_turned_round(many: Space) -> None:
    def loss(candidate: Any, report: Any) -> dict[str, float]:
        return {"loss": 1e6 / candidate.cost.params}

    run = search(many, loss, objectives=("loss",), trials=6, run="l")
    rows = {row["proxy"]: row for row in rank_proxies(run)["rankings"]}
    assert rows["params"]["tau"] == 1


def test_a_design_without_a_finite_value_leaves_the_proxy_out(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Proxy, "measure", lambda self, network: {"synflow": float("-inf")})
    document = rank_proxies(run)
    assert {row["proxy"] for row in document["rankings"]} == {"params", "macs"}
    assert "synflow" in document["left_out"]
    assert document["values"]["0"]["synflow"] is None


def test_too_few_designs_are_refused(many: Space) -> None:
    run = search(many, accuracy, trials=4, run="few")
    with pytest.raises(InvalidValue, match=r"at least 5 designs with accuracy, .* few has 4"):
        rank_proxies(run)


def test_progress_is_told(run: Run) -> None:
    told: list[tuple[int, int]] = []

    def tell(done: int, total: int) -> None:
        told.append((done, total))

    listener: Callable[[int, int], None] = tell
    rank_proxies(run, progress=listener)
    assert told == [(done, 6) for done in range(1, 7)]
    assert Path("runs/r/proxies.json").is_file()
