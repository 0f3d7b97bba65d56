"""From the options of `dse search` to a search, and back when resuming."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dse.cli.asked import (
    check_classes,
    completed,
    data_of,
    evaluator_of,
    metric_of,
    recipe_of,
    requirements_of,
)
from dse.cli.bar import bar
from dse.cli.output import say
from dse.cli.predicted import PROFILE_FILE, profile_of, say_device
from dse.cli.progress import Progress
from dse.cost import Budget
from dse.data import Dataset, Split
from dse.data.leakage import refuse_leakage, summaries
from dse.devices.profiles import mismatch
from dse.errors import DseError, InvalidValue
from dse.experiments.machine import machine
from dse.generate import Generated
from dse.ir import Shape
from dse.latency.predict import Predictor
from dse.latency.profile import Profile
from dse.resources import resource_dir
from dse.runs import Run, check_run_name, open_run, runs_folder
from dse.runtime.evaluate import Train
from dse.runtime.train import pick_device, threads_for
from dse.search import Evaluate, Search, free_run_name
from dse.search.evaluators import TRAIN, proxies_of
from dse.search.insight import write_insight
from dse.space import Space, load_space, parse_space, space_names

_MACS_PER_PIXEL = 833e6 / 224**2
"""The multiply-adds a search admits if none are asked for: those of SqueezeNet, the largest light
network that the papers compare (HL-CNN, Table II: 833M at 224x224), in proportion to the image.
Without any limit a search for few parameters drifts to designs that reuse them on large maps and
take minutes to train.
"""
_TRIALS = 16
_SPACE_FILE = "space.yaml"


@dataclass
class Session:
    """A search as the command line knows it.

    Attributes:
        name: the run's name.
        options: what was asked, completed by defaults; kept with the run and read on resuming.
        resume: whether the run exists.
        command: the command line, for the record.
    """

    name: str
    options: dict[str, Any]
    resume: bool = False
    command: str = ""
    run: Run | None = field(default=None, init=False)
    evaluate: Evaluate | None = field(default=None, init=False)
    workers: int = field(default=1, init=False)
    profile: Profile | None = field(default=None, init=False)

    @classmethod
    def new(cls, name: str | None, asked: dict[str, Any]) -> Session:
        """A run that begins.

        Raises:
            InvalidValue: the options do not go together, one is outside what it may be, or the run
                exists.
            UnknownName: a word among them is not known.
        """
        options = completed(asked)
        stem = Path(options.get("dataset", "")).name
        name = (
            check_run_name(name)
            if name
            else free_run_name(stem if stem.isidentifier() else "search")
        )
        if (runs_folder() / name / "run.json").exists():
            raise InvalidValue(
                f"the run {name} exists; give --resume to go on with it, or another --run"
            )
        return cls(name, options)

    @classmethod
    def resumed(cls, name: str | None, asked: dict[str, Any]) -> Session:
        """A run that goes on, with the options it began with.

        Raises:
            InvalidValue: no run is named, or an option differs from what it began with.
            UnknownName: there is no such run.
        """
        if name is None:
            raise InvalidValue("--resume needs --run: the name of the run to go on with")
        options = open_run(name).settings.get("options")
        if not isinstance(options, dict):
            raise InvalidValue(
                f"the run {name} was not made by dse search and cannot be resumed by it"
            )
        options = {"evaluate": TRAIN, **options}  # once there was no other, and it was not kept
        for key, value in asked.items():
            kept = options.get(key)
            if key == "budget" and value is not None and "macs" not in value:
                kept = {k: v for k, v in (kept or {}).items() if k != "macs"}
            if value is not None and value != kept:
                raise InvalidValue(
                    f"a resumed run keeps its options: {key} is {options.get(key)!r} in {name}, "
                    f"got {value!r}"
                )
        return cls(name, options, resume=True)

    def how_to_go_on(self) -> str:
        """The sentence after Ctrl-C."""
        run = Run(runs_folder() / self.name)
        if not (run.folder / "run.json").exists():
            return "stopped before the first trial; nothing is kept"
        count = len(run.trials)
        done = "1 trial" if count == 1 else f"{count} trials"
        return f"stopped after {done}; go on with: dse search --run {self.name} --resume"

    def search(
        self,
        *,
        trials: int | None,
        time_limit: float | None,
        workers: int | None,
        train_device: str,
        quiet: bool,
    ) -> Run:
        """Run the search to its end; Ctrl-C ends it early, and it may be resumed."""
        options = self.options
        trains = options["evaluate"] == TRAIN
        where = pick_device(train_device if trains else "cpu")
        self.evaluate = evaluator_of(options, where)
        space, text = self._space()
        read = data_of(options)
        notes: list[str] = []
        if read is None:
            side = options.get("image_size")
            channels, classes = space.input.channels, options.get("classes") or space.classes
            shape = Shape((channels, side, side)) if side else space.input
            space = space.with_io(input=shape, classes=classes)
        else:
            data, split = read
            check_classes(options, data.classes)
            side = data.image_size
            notes = [f"{data.name}: {data.note}", *summaries(data, refuse_leakage(data, split))]
            space = space.with_io(input=Shape((3, side, side)), classes=len(data.classes))
        runs_networks = trains or bool(proxies_of(options["evaluate"]))
        if runs_networks and not {"macs", "latency_ms"} & set(options["budget"]):
            pixels = space.input.height * space.input.width
            options["budget"] = {**options["budget"], "macs": round(_MACS_PER_PIXEL * pixels, -5)}
            say(
                f"no limit on multiply-adds was given: {options['budget']['macs']:,.0f} is taken, "
                "SqueezeNet's share for images of this size; --budget-macs sets another"
            )
        budget = Budget(**options["budget"])
        files = {_SPACE_FILE: text}
        self.profile = self._profile(quiet=quiet)
        if self.profile is not None:
            files[PROFILE_FILE] = self.profile.to_json()
            space = space.timed_by(Predictor(self.profile))
        cores = min(8, threads_for(1)) if runs_networks else 1
        self.workers = workers or (cores if where == "cpu" else 1)
        progress = Progress(
            self.name,
            quiet=quiet,
            metric=metric_of(options),
            objectives=options["objectives"],
            epochs=recipe_of(options).epochs if trains else None,
            time_limit=time_limit,
        )
        search = Search(
            space=space,
            evaluate=self.evaluate,
            budget=budget,
            objectives=tuple(options["objectives"]),
            trials=trials or self._trials(),
            seed=options["seed"],
            sampler=options["sampler"],
            workers=self.workers,
            rungs=options.get("rungs", True),
            require=requirements_of(options),
            time_limit=time_limit,
            storage=options.get("storage"),
            settings={
                "options": options,
                "command": self.command,
                "evaluate": options["evaluate"],
                **(self._training() if trains else {}),
                **({} if read is None else _facts(*read)),
                **({} if self.profile is None else {"latency": _facts_of(self.profile)}),
                "machine": machine(where),
            },
            files=files,
            listener=progress,
        )
        for note in notes:
            say(note)
        if read is not None:
            _say_skipped(read[0])
        if self.profile is not None:
            say_device(self.profile)
        say(f"space {space.name} for {space.input} images, {space.classes} classes; {budget}")
        try:
            self.run = search.run(self.name, resume=self.resume)
        finally:
            progress.close()
        write_insight(self.run, space.choices())
        return self.run

    def finish(self, out: Path | None, *, int8: bool = False) -> Generated:
        """Test the winner, if trained, and write its files, ONNX also quantised if `int8`."""
        assert self.run is not None
        folder = out or Path("generated") / self.name
        if isinstance(self.evaluate, Train):
            from dse.search.finish import finish

            say(
                "training the leaders again with other seeds, then the winner and its rival on all "
                "but the test part, which is read at the end"
            )
            formats = ("onnx", "int8") if int8 else ("onnx",)
            return finish(self.run, self.evaluate, folder, self.workers, say, formats)
        from dse.search.untrained import write_winner

        say("nothing was trained: the winner's ONNX file has fresh weights, no test part is read")
        return write_winner(self.run, folder, self.options["seed"])

    def measure(self, *, quiet: bool) -> None:
        """Measure the front, if latency was predicted and for this machine."""
        if self.profile is None or mismatch(self.profile) is not None:
            return
        assert self.run is not None
        from dse.search.verified import measure_front, too_slow

        say("measuring the front, whose latency was predicted")
        try:
            with bar("measuring", quiet=quiet) as progress:
                found = measure_front(
                    self.run,
                    device=self.profile.device,
                    threads=self.profile.threads,
                    progress=progress,
                )
        except DseError as error:
            say(f"warning: the front was not measured: {error}")
            return
        for sentence in too_slow(found, self.options["budget"].get("latency_ms")):
            say(f"warning: {sentence}")

    def _training(self) -> dict[str, Any]:
        """How each design is trained, for the record."""
        chosen = recipe_of(self.options)
        return {"epochs": chosen.epochs, "recipe": chosen.model_dump(mode="json")}

    def _trials(self) -> int:
        """As many as the run began with, where none are asked for."""
        kept = Run(runs_folder() / self.name).settings.get("trials") if self.resume else None
        return kept if isinstance(kept, int) else _TRIALS

    def _space(self) -> tuple[Space, str]:
        """The space and its text; kept with the run, so that a resumed one searches the same."""
        kept = runs_folder() / self.name / _SPACE_FILE
        if self.resume and kept.exists():
            text = kept.read_text(encoding="utf-8")
            return parse_space(text, self.options["space_name"], kept.name), text
        space = load_space(self.options["space"])
        self.options["space_name"] = space.name
        path = Path(self.options["space"])
        if self.options["space"] in space_names():
            path = resource_dir("searchspaces") / f"{path}.yaml"
        return space, path.read_text(encoding="utf-8")

    def _profile(self, *, quiet: bool) -> Profile | None:
        """What latency is predicted by, if it is limited, an objective, or just asked for."""
        options = self.options
        device = options.get("latency_device")
        asked = "latency_ms" in (*options["budget"], *options["objectives"])
        if not asked and device is None:
            return None
        return profile_of(device, runs_folder() / self.name / PROFILE_FILE, quiet=quiet)


def _facts_of(profile: Profile) -> dict[str, Any]:
    """What latency is predicted by, for the record."""
    return {
        "profile": profile.name,
        "device": profile.device,
        "machine": profile.machine,
        "elsewhere": mismatch(profile),
    }


def _facts(data: Dataset, split: Split) -> dict[str, Any]:
    """What a search was made on, for the record."""
    return {
        "image_size": data.image_size,
        "data": {
            "name": data.name,
            "classes": list(data.classes),
            "digest": data.digest,
            "synthetic": data.synthetic,
            "note": data.note,
            "images": len(data.labels),
            "skipped": len(data.skipped),
            "split": {
                "fold": split.fold,
                "grouped": split.grouped,
                "train": len(split.train),
                "val": len(split.val),
                "test": len(split.test),
            },
        },
    }


def _say_skipped(data: Dataset) -> None:
    for skipped in data.skipped[:3]:
        say(f"skipped {skipped.file}: {skipped.reason}")
    if len(data.skipped) > 3:
        say(f"skipped {len(data.skipped)} files in all")
