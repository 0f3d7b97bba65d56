"""Experiments that really train: every cell once, whatever happens in between."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

import dse
from dse.data import load_dataset
from dse.errors import DivergedTraining, DseError, InvalidValue, UnknownName
from dse.experiments import (
    Asked,
    Cell,
    Conductor,
    Experiment,
    Listener,
    Result,
    compare,
    open_experiment,
    train,
)
from dse.experiments.training import Trainer
from dse.runtime.load import build
from dse.runtime.weights import save_weights
from tests.experiments.conftest import tiny

pytestmark = pytest.mark.usefixtures("here")

TWO = [tiny("narrow", 4), tiny("wide", 6)]
QUICK: dict[str, Any] = {"recipe": "quick", "changes": {"epochs": 2}, "image_size": 16,
                         "device": "cpu", "workers": 1}  # fmt: skip


STEM = "stem.conv.weight"


class Heard(Listener):
    """Keeps what it hears; may press Ctrl-C at some epoch of some cell."""

    def __init__(self, stop: tuple[Cell, int] | None = None) -> None:
        self.stop = stop
        self.epochs: list[tuple[Cell, int]] = []
        self.ends: list[Cell] = []

    def reported(self, cell: Cell, epoch: int, metrics: Mapping[str, float]) -> None:
        assert "train_loss" in metrics
        self.epochs.append((cell, epoch))
        if (cell, epoch) == self.stop:
            raise KeyboardInterrupt

    def ended(self, result: Result) -> None:
        self.ends.append(result.cell)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, pictures: Path) -> Experiment:
    """Two networks over three folds with two seeds, never interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        compare(TWO, str(pictures), folds=3, seeds=2, run="whole", **QUICK)
        return open_experiment(Path("runs/whole").resolve())


def weights_of(experiment: Experiment, cell: Cell) -> dict[str, torch.Tensor]:
    return load_file(experiment.weights(cell))


def same(ours: Experiment, theirs: Experiment, cell: Cell) -> bool:
    a, b = weights_of(ours, cell), weights_of(theirs, cell)
    metrics = ours.results[cell].metrics == theirs.results[cell].metrics
    return metrics and a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_every_cell_has_its_result_and_weights(whole: Experiment) -> None:
    assert len(whole.cells) == 2 * 3 * 2
    assert whole.pending == whole.failed == []
    for cell in whole.cells:
        result = whole.results[cell]
        assert len(result.history) == 2
        assert result.test + result.val + result.train == 45
        assert sum(map(sum, result.confusion)) == result.test
        assert result.metrics["accuracy"] == pytest.approx(
            sum(result.confusion[i][i] for i in range(3)) / result.test
        )
        network = whole.plan.model(cell.model).network
        build(network).load_state_dict(weights_of(whole, cell))
        assert result.provenance["network"] == network.digest
        assert result.provenance["dataset_digest"] == whole.data["digest"]
        assert result.provenance["seed"] == cell.seed
        assert result.provenance["recipe"]["epochs"] == 2
        home = whole.folder / cell.folder
        assert sorted(path.name for path in home.iterdir()) == [
            "log", "model.safetensors", "result.json",
        ]  # fmt: skip


def test_the_test_folds_are_the_data_set(whole: Experiment) -> None:
    assert sum(part["test"] for part in whole.data["parts"]) == 45
    assert [part["fold"] for part in whole.data["parts"]] == [0, 1, 2]


def test_costs_and_inference_are_measured(whole: Experiment) -> None:
    assert whole.inference.keys() == {"narrow", "wide"}
    for taken in whole.inference.values():
        assert 0 < taken["latency"]["median_ms"] <= taken["latency"]["p95_ms"]
        assert taken["energy"] is None or taken["energy"]["millijoules"] > 0


def test_seeds_and_folds_make_a_difference(whole: Experiment) -> None:
    a, b, c = (weights_of(whole, Cell("narrow", *key)) for key in ((0, 0), (0, 1), (1, 0)))
    assert not torch.equal(a[STEM], b[STEM])
    assert not torch.equal(a[STEM], c[STEM])


@pytest.mark.slow
@pytest.mark.parametrize("epoch", [1, 2])
def test_interrupted_and_gone_on_with_it_is_as_if_never_interrupted(
    whole: Experiment, pictures: Path, epoch: int
) -> None:
    stop = Heard(stop=(Cell("wide", 1, 0), epoch))
    with pytest.raises(KeyboardInterrupt):
        compare(TWO, str(pictures), folds=3, seeds=2, run="x", listener=stop, **QUICK)
    cut = open_experiment("x")
    assert len(cut.results) == 3
    files = {cell: cut.weights(cell).stat().st_mtime_ns for cell in cut.results}

    heard = Heard()
    gone_on = compare(
        [], str(pictures), run="x", resume=True, listener=heard, workers=1, device="cpu"
    )
    assert heard.ends == [cell for cell in gone_on.cells if cell not in cut.results]
    assert (Cell("wide", 1, 0), 1) not in heard.epochs  # it had been saved
    assert all(gone_on.weights(cell).stat().st_mtime_ns == at for cell, at in files.items())
    assert all(same(gone_on, whole, cell) for cell in whole.cells)


@pytest.mark.slow
def test_processes_train_as_this_one_does(whole: Experiment, pictures: Path) -> None:
    heard = Heard()
    beside = compare(
        TWO, str(pictures), folds=3, run="x", listener=heard, **{**QUICK, "workers": 2}
    )
    assert sorted(heard.ends) == sorted(beside.cells)
    assert all(same(beside, whole, cell) for cell in beside.cells)


def test_what_is_complete_is_not_trained_again(
    whole: Experiment, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(whole.folder.parent.parent)
    monkeypatch.setattr(Trainer, "train", None)
    again = compare([], str(pictures), run="whole", resume=True)
    assert again.results == whole.results


def test_models_and_seeds_may_be_added(pictures: Path) -> None:
    first = compare(TWO[:1], str(pictures), folds=2, run="x", **QUICK)
    heard = Heard()
    more = compare(
        [TWO[1]], str(pictures), folds=2, seeds=2, run="x", resume=True, listener=heard, **QUICK
    )
    assert [model.name for model in more.plan.models] == ["narrow", "wide"]
    assert more.plan.seeds == (0, 1)
    assert len(heard.ends) == 8 - 2
    for cell, result in first.results.items():
        assert more.results[cell] == result


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"folds": 3}, "folds is 2 in x, got 3"),
        ({"image_size": 32}, "image size is 16 in x, got 32"),
        ({"changes": {"epochs": 3}}, "recipe's epochs is 1 in x, got 3"),
        ({"recipe": "default"}, "recipe's name is quick in x, got default"),
        ({"models": [tiny("narrow", 5)]}, "an experiment keeps its models: narrow in x is"),
    ],
)
def test_another_question_is_refused(pictures: Path, changed: dict[str, Any], words: str) -> None:
    asked: dict[str, Any] = {
        "models": TWO[:1], "recipe": "quick", "changes": {"epochs": 1}, "image_size": 16,
    }  # fmt: skip
    compare(dataset=str(pictures), folds=2, run="x", workers=1, device="cpu", **asked)
    before = Path("runs/x/experiment.json").read_text()
    asked = {**asked, "folds": 2, **changed}
    with pytest.raises(InvalidValue, match=re.escape(words)):
        compare(dataset=str(pictures), run="x", resume=True, **asked)
    assert Path("runs/x/experiment.json").read_text() == before


def test_other_images_are_refused(pictures: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "bars"
    shutil.copytree(pictures, copy)
    train(TWO[0], str(copy), run="x", **QUICK)
    (copy / "class0" / "0.png").unlink()
    with pytest.raises(InvalidValue, match="not what they were when x began"):
        train(TWO[0], str(copy), run="x", resume=True, **QUICK)


def test_one_that_diverges_is_recorded_and_the_others_go_on(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Trainer._train

    def sometimes(self: Trainer, cell: Cell, report: Any) -> Result:
        if cell == Cell("wide", 0, 0):
            raise DivergedTraining("the loss is nan")
        if cell == Cell("narrow", 1, 0):
            raise RuntimeError("no memory\nin detail")
        return own(self, cell, report)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_train", sometimes)
        experiment = compare(TWO, str(pictures), folds=2, run="x", **QUICK)
    assert {(r.cell.model, r.state, r.reason) for r in experiment.failed} == {
        ("wide", "diverged", "the loss is nan"),
        ("narrow", "failed", "RuntimeError: no memory"),
    }
    assert len(experiment.finished) == 2
    # The same seed would diverge again; memory may be there the next time.
    again = compare([], str(pictures), run="x", resume=True, workers=1)
    assert [result.state for result in again.failed] == ["diverged"]
    assert len(again.finished) == 3


def test_a_process_that_was_killed_is_said(tmp_path: Path) -> None:
    broken: Future[Result] = Future()
    broken.set_exception(BrokenProcessPool())
    with pytest.raises(DseError, match="want of memory; use fewer --workers"):
        Conductor("x", Asked())._follow(tmp_path, {broken: Cell("net", 0, 0)})


def test_a_training_that_really_diverges(pictures: Path) -> None:
    changes = {"optimizer": "sgd", "learning_rate": 1e30, "warmup_epochs": 0, "epochs": 3}
    settings = {**QUICK, "changes": changes}
    experiment = train(tiny("net"), str(pictures), run="x", **settings)
    (result,) = experiment.failed
    assert result.state == "diverged"
    assert "the training diverged" in result.reason
    assert not (experiment.folder / result.cell.folder / "checkpoint").exists()


def test_a_full_disk_is_no_fault_of_a_network(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Trainer, cell: Cell, report: Any) -> Result:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Trainer, "_train", full)
    with pytest.raises(OSError, match="No space left"):
        train(TWO[0], str(pictures), run="x", **QUICK)
    assert open_experiment("x").results == {}


def test_the_test_part_is_read_once_and_never_learnt(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import dse.runtime.train as runtime

    seen: list[tuple[set[bytes], set[bytes]]] = []
    fit, score = runtime.fit, runtime.score

    def images(part: Any) -> set[bytes]:
        return {image.tobytes() for image in part.images}

    def watched_fit(model: Any, train: Any, val: Any, *rest: Any, **options: Any) -> Any:
        seen.append((images(train) | images(val), set()))
        return fit(model, train, val, *rest, **options)

    def watched_score(model: Any, part: Any, **options: Any) -> Any:
        _, tested = seen[-1]
        assert not tested, "the test part was read twice"
        tested |= images(part)
        return score(model, part, **options)

    monkeypatch.setattr(runtime, "fit", watched_fit)
    monkeypatch.setattr(runtime, "score", watched_score)
    compare(TWO[:1], str(pictures), folds=3, run="x", **QUICK)
    assert len(seen) == 3
    every = {image.tobytes() for image in load_dataset(str(pictures), image_size=16).images}
    for learnt, tested in seen:
        assert tested
        assert learnt.isdisjoint(tested)
        assert learnt | tested == every


def test_statistics_of_patients_are_passed_on(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    import dse.runtime.train as runtime

    copy = tmp_path / "patients"
    shutil.copytree(pictures, copy)
    rows = [
        f"class{label}/{number}.png,class{label},p{label}-{number // 3}"
        for label in range(3)
        for number in range(15)
    ]
    (copy / "splits.csv").write_text("\n".join(["file,label,patient", *rows]))
    groups: list[Any] = []
    score = runtime.score

    def watched(*given: Any, **options: Any) -> Any:
        groups.append(options["groups"])
        return score(*given, **options)

    monkeypatch.setattr(runtime, "score", watched)
    experiment = compare(TWO[:1], str(copy), folds=3, run="x", **QUICK)
    assert all(part["grouped"] for part in experiment.data["parts"])
    patients = [set(np.unique(found).tolist()) for found in groups]
    assert sum(map(len, patients)) == len(set.union(*patients)) == 15


def test_a_loss_that_is_infinite_is_left_out(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON has no infinity, and one network that is sure and wrong must not end the others."""
    import dse.runtime.train as runtime

    score = runtime.score

    def sure_and_wrong(*given: Any, **options: Any) -> Any:
        return replace(score(*given, **options), loss=float("inf"))

    monkeypatch.setattr(runtime, "score", sure_and_wrong)
    experiment = train(TWO[0], str(pictures), run="x", **QUICK)
    assert experiment.finished[0].metrics["loss"] is None
    assert experiment.table("metrics:narrow").cells[-1] == ["loss", "–", "–"]


# -- names and places


def test_an_experiment_that_exists_is_not_overwritten(pictures: Path) -> None:
    train(TWO[0], str(pictures), run="x", **QUICK)
    with pytest.raises(InvalidValue, match="the experiment x exists; give --resume"):
        train(TWO[0], str(pictures), run="x", **QUICK)


def test_nothing_to_go_on_with(pictures: Path) -> None:
    with pytest.raises(UnknownName, match="no experiment is called 'x'"):
        train(TWO[0], str(pictures), run="x", resume=True, **QUICK)
    assert not Path("runs").exists()


def test_what_is_asked_wrongly_leaves_nothing(pictures: Path) -> None:
    with pytest.raises(InvalidValue, match="folds must be at most 15"):
        compare(TWO, str(pictures), folds=16, run="x", **QUICK)
    assert not Path("runs").exists()


def test_searches_and_experiments_keep_out_of_each_others_folders(pictures: Path) -> None:
    Path("runs/searched").mkdir(parents=True)
    Path("runs/searched/run.json").write_text("{}")
    with pytest.raises(InvalidValue, match="searched is the run of a search"):
        train(TWO[0], str(pictures), run="searched", **QUICK)
    train(TWO[0], str(pictures), run="trained", **QUICK)
    with pytest.raises(InvalidValue, match="trained is an experiment"):
        dse.search(
            dse.load_space("lightweight"), lambda candidate, report: {"accuracy": 0}, run="trained"
        )
    assert sorted(path.name for path in Path("runs/trained").glob("*.json")) == [
        "experiment.json", "inference.json",
    ]  # fmt: skip
    with pytest.raises(UnknownName, match="no run is called 'trained'; known: searched"):
        dse.open_run("trained")


def test_one_process_at_a_time(pictures: Path) -> None:
    train(TWO[0], str(pictures), run="x", **QUICK)
    with FileLock("runs/x/.lock"), pytest.raises(InvalidValue, match="another process"):
        train(TWO[0], str(pictures), run="x", resume=True, **QUICK)


# -- what is trained


def test_weights_are_gone_on_from(pictures: Path) -> None:
    network = tiny("net")
    model = build(network)
    with torch.no_grad():
        model.get_parameter(STEM).fill_(0.125)
    save_weights(model, Path("start.safetensors"))
    experiment = train(
        network, str(pictures), weights=Path("start.safetensors"), tune="head", run="x", **QUICK
    )
    (cell,) = experiment.cells
    stem = weights_of(experiment, cell)[STEM]
    assert torch.equal(stem, torch.full_like(stem, 0.125))
    (entry,) = experiment.plan.models
    assert entry.weights == Path("start.safetensors").resolve()
    assert experiment.results[cell].provenance["weights"] == entry.weights_digest


def test_weights_that_changed_meanwhile_are_refused(pictures: Path) -> None:
    network, path = tiny("net"), Path("start.safetensors")
    save_weights(build(network), path)
    cell = Cell("net", 1, 0)
    with pytest.raises(KeyboardInterrupt):
        train(
            network, str(pictures), folds=2, weights=path, run="x",
            listener=Heard(stop=(Cell("net", 0, 0), 1)), **QUICK,
        )  # fmt: skip
    save_weights(build(network), path)
    experiment = compare([], str(pictures), run="x", resume=True, workers=1, device="cpu")
    assert experiment.results[cell].state == "failed"
    assert "other weights than when it was chosen" in experiment.results[cell].reason


def test_weights_of_another_network(pictures: Path) -> None:
    save_weights(build(tiny("other", 7)), Path("other.safetensors"))
    with pytest.raises(InvalidValue, match=r"other\.safetensors does not fit net"):
        train(tiny("net"), str(pictures), weights=Path("other.safetensors"), **QUICK)


def test_a_recipes_dropout_image_size_and_folds(pictures: Path) -> None:
    chosen = dse.recipe("quick", epochs=1, dropout=0.5, image_size=24, folds=2)
    experiment = train(tiny("net"), str(pictures), recipe=chosen, run="x", workers=1, device="cpu")
    assert experiment.plan.image_size == 24
    assert experiment.folds == [0, 1]
    assert experiment.plan.models[0].network.nodes[-1].block.dropout == 0.5  # type: ignore[attr-defined]


def test_a_design_is_trained_at_its_own_size(pictures: Path) -> None:
    experiment = train(tiny("net", side=20), str(pictures), run="x", changes={"epochs": 1},
                       workers=1, device="cpu")  # fmt: skip
    assert experiment.plan.image_size == 20


def test_digits_are_not_mirrored_unless_asked() -> None:
    from dse.experiments.prepare import Asked, _recipe

    plain = Asked(dataset="digits", recipe="quick")
    assert not _recipe(plain).augment.horizontal_flip
    assert _recipe(replace(plain, changes={"augment": {"horizontal_flip": True}})).augment == (
        dse.recipe("quick").augment
    )
    assert _recipe(replace(plain, dataset="covid")).augment.horizontal_flip


def test_a_name_may_hold_what_a_folder_may_not() -> None:
    assert Cell("run-1#12", 3, 0).folder == Path("cells/run-1-12/fold-3-seed-0")
    assert Cell("../..", None, 1).folder == Path("cells/model/holdout-seed-1")


def test_names_that_would_share_a_folder(pictures: Path) -> None:
    with pytest.raises(InvalidValue, match="different names, got narrow twice"):
        compare([TWO[0], TWO[0]], str(pictures), **QUICK)


def test_the_plan_survives_its_file(whole: Experiment) -> None:
    text = (whole.folder / "experiment.json").read_text()
    assert type(whole.plan).model_validate(json.loads(text)["plan"]) == whole.plan


def test_the_files_of_a_training(pictures: Path) -> None:
    import onnxruntime

    from dse.experiments.export import export

    experiment = train(tiny("net"), str(pictures), run="x", **QUICK)
    (cell,) = experiment.cells
    generated = export(experiment, cell)
    assert generated.onnx is not None
    session = onnxruntime.InferenceSession(str(generated.onnx))
    held = session.get_modelmeta().custom_metadata_map
    assert held["class_names"] == "class0,class1,class2"
    assert float(held["mean"]) == pytest.approx(experiment.results[cell].mean[0], abs=1e-6)
    model = build(tiny("net"))
    model.load_state_dict(weights_of(experiment, cell))
    image = torch.rand(1, 1, 16, 16)
    with torch.inference_mode():
        expected = model.eval()(image).numpy()
    found = session.run(None, {session.get_inputs()[0].name: image.numpy()})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
