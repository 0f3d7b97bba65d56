"""Models against each other: a difference is called one only if chance does not explain it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dse.errors import UnknownName
from dse.experiments import Experiment, reading
from dse.experiments.pairs import pairs
from dse.experiments.statistics import corrected_t_test
from tests.experiments.conftest import PAPER, TEST, TRAIN, over_folds, write_experiment

GOOD = over_folds(0.90, 0.92, 0.91, 0.93, 0.92)
BAD = over_folds(0.80, 0.81, 0.82, 0.82, 0.83)
LIKE_BAD = over_folds(0.82, 0.80, 0.83, 0.81, 0.82)


def test_a_pair_by_hand(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path / "x", {"bad": BAD, "good": GOOD})
    (pair,) = pairs(experiment)
    differences = [0.10, 0.11, 0.09, 0.11, 0.09]
    assert (pair.first, pair.second, pair.units) == ("good", "bad", 5)
    assert pair.difference == pytest.approx(0.1)
    assert pair.p_value == pytest.approx(corrected_t_test(differences, TEST / TRAIN))
    assert pair.corrected == pair.p_value
    assert pair.told
    assert reading(experiment) == (
        f"good is better than bad in accuracy by 0.100 "
        f"[{pair.interval[0]:.3f}, {pair.interval[1]:.3f}]."  # type: ignore[index]
    )


def test_a_difference_of_the_papers_size_is_not_called_one(paper: Experiment) -> None:
    """0.946 against 0.940 and 0.862, with the spread that the paper prints: nothing is told."""
    assert len(paper.pairs()) == 6
    assert not any(pair.told for pair in paper.pairs())
    assert reading(paper) == "No difference in accuracy can be told from chance with 5 folds."


def test_some_told_some_not(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path / "x", {"good": GOOD, "bad": BAD, "as-bad": LIKE_BAD})
    said = reading(experiment)
    assert said.count("is better than") == 2
    assert "good is better than bad in accuracy by 0.100 [" in said
    assert "good is better than as-bad in accuracy by 0.100 [" in said
    assert said.endswith("; no other difference can be told from chance with 5 folds.")
    told = [pair for pair in experiment.pairs() if pair.told]
    assert all(pair.corrected > pair.p_value for pair in told[:1])  # Holm: times three at first


def test_less_loss_is_better(tmp_path: Path) -> None:
    (pair,) = pairs(write_experiment(tmp_path / "x", {"bad": BAD, "good": GOOD}), "loss")
    assert (pair.first, pair.difference) == ("good", pytest.approx(0.1))


def test_seeds_of_a_fold_are_one_unit(tmp_path: Path) -> None:
    """However many seeds, two folds are two pieces of evidence."""
    good = {(fold, seed): 0.9 + 0.01 * fold for fold in range(2) for seed in range(10)}
    bad = {(fold, seed): 0.8 + 0.02 * fold for fold in range(2) for seed in range(10)}
    experiment = write_experiment(tmp_path / "x", {"good": good, "bad": bad})
    (pair,) = experiment.pairs()
    assert pair.units == 2
    assert pair.p_value == pytest.approx(corrected_t_test([0.10, 0.09], TEST / TRAIN))


def test_with_one_fold_seeds_are_the_units(tmp_path: Path) -> None:
    good = {(None, seed): 0.9 + 0.01 * seed for seed in range(3)}
    bad = {(None, seed): 0.9 - 0.01 * seed for seed in range(3)}
    experiment = write_experiment(tmp_path / "x", {"good": good, "bad": bad})
    assert experiment.pairs()[0].units == 3
    assert reading(experiment) == (
        "No difference in accuracy can be told from chance with 3 seeds of one test part."
    )


def test_one_training_each_says_nothing(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path / "x", {"a": {(4, 0): 0.9}, "b": {(4, 0): 0.5}})
    assert reading(experiment) == (
        "With 1 seed of one test part no difference in accuracy can be told from chance; --folds "
        "or --seeds repeat the trainings."
    )


def test_what_diverged_is_left_out_of_both(tmp_path: Path) -> None:
    bad = over_folds(0.80, "the loss is nan", 0.82, 0.82, 0.83)
    experiment = write_experiment(tmp_path / "x", {"good": GOOD, "bad": bad})
    (pair,) = experiment.pairs()
    assert pair.units == 4
    assert pair.p_value == pytest.approx(corrected_t_test([0.10, 0.09, 0.11, 0.09], TEST / TRAIN))


def test_a_model_that_never_finished_is_in_no_pair(tmp_path: Path) -> None:
    experiment = write_experiment(
        tmp_path / "x", {"good": GOOD, "bad": over_folds(*["the loss is nan"] * 5)}
    )
    assert experiment.pairs() == []
    assert reading(experiment) == "There are no two models to compare."


def test_wilcoxon_says_when_it_could_never_tell(tmp_path: Path) -> None:
    experiment = write_experiment(tmp_path / "x", {"good": GOOD, "bad": BAD})
    assert experiment.pairs(test="wilcoxon")[0].p_value == pytest.approx(0.0625)
    assert reading(experiment, test="wilcoxon") == (
        "Wilcoxon's test cannot tell any difference from chance with 5 folds and 1 pair, however "
        "large."
    )


def test_wilcoxon_tells_with_folds_enough(tmp_path: Path) -> None:
    good = over_folds(*(0.90 + 0.001 * i for i in range(7)))
    bad = over_folds(*(0.80 + 0.002 * i for i in range(7)))
    experiment = write_experiment(tmp_path / "x", {"good": good, "bad": bad})
    assert experiment.pairs(test="wilcoxon")[0].p_value == pytest.approx(2 / 2**7)
    assert "good is better than bad" in reading(experiment, test="wilcoxon")


def test_an_unknown_metric(paper: Experiment) -> None:
    with pytest.raises(UnknownName, match="no metric is called 'acuracy'; did you mean"):
        paper.pairs("acuracy")


def test_the_better_one_stands_first(paper: Experiment) -> None:
    means = {name: sum(cells.values()) / 5 for name, cells in PAPER.items()}
    for pair in paper.pairs():
        assert means[pair.first] > means[pair.second]
        assert pair.difference == pytest.approx(means[pair.first] - means[pair.second])
