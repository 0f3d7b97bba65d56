"""From the options of `dse search` to a search, and back when resuming."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dse.cli.output import say
from dse.cli.progress import Progress
from dse.cost import Budget
from dse.data.leakage import refuse_leakage, summaries
from dse.devices import device_names, find_device
from dse.errors import InvalidValue, UnknownName
from dse.experiments.machine import machine
from dse.generate import Generated
from dse.ir import Shape
from dse.recipes import Recipe, recipe, suited
from dse.resources import resource_dir
from dse.runs import OBJECTIVES, Run, check_run_name, open_run, runs_folder
from dse.runtime.evaluate import Train
from dse.runtime.train import pick_device, threads_for
from dse.search import Search, check_storage, free_run_name, sampler_names
from dse.space import Space, load_space, parse_space, space_names

_DEFAULTS: dict[str, Any] = {
    "space": "lightweight",
    "objectives": ["accuracy", "params"],
    "recipe": "quick",
    "budget": {},
    "sampler": "auto",
    "seed": 0,
}
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
    train: Train | None = field(default=None, init=False)

    @classmethod
    def new(cls, name: str | None, asked: dict[str, Any]) -> Session:
        """A run that begins.

        Raises:
            InvalidValue: no data set is named, or the run exists.
        """
        if asked["dataset"] is None:
            raise InvalidValue(
                "a search needs --dataset: covid, digits, cifar10 or an image folder"
            )
        options = {**_DEFAULTS, **{k: v for k, v in asked.items() if v is not None}}
        stem = Path(options["dataset"]).name
        name = (
            check_run_name(name)
            if name
            else free_run_name(stem if stem.isidentifier() else "search")
        )
        if (runs_folder() / name / "run.json").exists():
            raise InvalidValue(
                f"the run {name} exists; give --resume to go on with it, or another --run"
            )
        _check(options)
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
        where = pick_device(train_device)
        options = self.options
        chosen = _recipe(options)
        self.train = Train(
            dataset=options["dataset"],
            recipe=chosen,
            data_dir=Path(options["data_dir"]) if options.get("data_dir") else None,
            image_size=options.get("image_size") or chosen.image_size,
            seed=options["seed"],
            fold=options.get("fold"),
            device=where,
        )
        space, text = self._space()
        data, split = self.train.data()
        shared = summaries(data, refuse_leakage(data, split))
        side = data.image_size
        space = space.with_io(input=Shape((3, side, side)), classes=len(data.classes))
        if not {"macs", "latency_ms"} & set(options["budget"]):
            options["budget"] = {
                **options["budget"],
                "macs": round(_MACS_PER_PIXEL * side * side, -5),
            }
            say(
                f"no limit on multiply-adds was given: {options['budget']['macs']:,.0f} is taken, "
                "SqueezeNet's share for images of this size; --budget-macs sets another"
            )
        budget = Budget(**options["budget"])
        progress = Progress(self.name, budget, quiet=quiet)
        search = Search(
            space=space,
            evaluate=self.train,
            budget=budget,
            objectives=tuple(options["objectives"]),
            trials=trials or self._trials(),
            seed=options["seed"],
            sampler=options["sampler"],
            workers=workers or (1 if where != "cpu" else min(8, threads_for(1))),
            time_limit=time_limit,
            storage=options.get("storage"),
            latency_of=self._latency(budget),
            settings={
                "options": options,
                "command": self.command,
                "epochs": chosen.epochs,
                "image_size": side,
                "recipe": chosen.model_dump(mode="json"),
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
                "machine": machine(where),
            },
            files={_SPACE_FILE: text},
            listener=progress,
        )
        say(f"{data.name}: {data.note}")
        for sentence in shared:
            say(sentence)
        for skipped in data.skipped[:3]:
            say(f"skipped {skipped.file}: {skipped.reason}")
        if len(data.skipped) > 3:
            say(f"skipped {len(data.skipped)} files in all")
        say(f"space {space.name} for {space.input} images, {space.classes} classes; {budget}")
        try:
            self.run = search.run(self.name, resume=self.resume)
        finally:
            progress.close()
        return self.run

    def _trials(self) -> int:
        """As many as the run began with, where none are asked for."""
        kept = Run(runs_folder() / self.name).settings.get("trials") if self.resume else None
        return kept if isinstance(kept, int) else _TRIALS

    def finish(self, out: Path | None) -> Generated:
        """Test the winner and write its files."""
        from dse.search.finish import finish

        assert self.run is not None
        assert self.train is not None
        say("training the winner and its rival again on all but the test part, then that is read")
        return finish(self.run, self.train, out or Path("generated") / self.name)

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

    def _latency(self, budget: Budget) -> Any:
        if budget.latency_ms is None and "latency_ms" not in self.options["objectives"]:
            return None
        device = find_device(self.options.get("latency_device") or "onnxruntime-cpu")
        return lambda network: device.latency(network).median_ms


def _check(options: dict[str, Any]) -> None:
    """See that the words among the options are known, before data are read.

    Raises:
        UnknownName: one is not.
        InvalidValue: the storage is no URL.
    """
    for objective in options["objectives"]:
        if objective not in OBJECTIVES:
            raise UnknownName("objective", objective, OBJECTIVES)
    if options["sampler"] not in sampler_names():
        raise UnknownName("sampler", options["sampler"], sampler_names())
    device = options.get("latency_device")
    if device is not None and device not in device_names():
        raise UnknownName("device", device, device_names())
    if options.get("storage"):
        check_storage(options["storage"])
    _recipe(options)


def _recipe(options: dict[str, Any]) -> Recipe:
    """How each design is trained.

    Raises:
        UnknownName: no recipe, or no setting of one, is called so.
        InvalidValue: a setting is outside what it may be.
    """
    changes = dict(options.get("recipe_set", {}))
    if "epochs" in options:
        changes["epochs"] = options["epochs"]
    return recipe(options["recipe"], **suited(changes, options["dataset"]))
