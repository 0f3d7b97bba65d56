"""Designs that a person puts into a run."""

from __future__ import annotations

from typing import Any

import pytest

from dse.cost import Budget
from dse.errors import InvalidValue
from dse.ir import Shape
from dse.presets import load_preset
from dse.runs import open_run
from dse.search import Candidate, Report, Search, search
from dse.search.waiting import enqueue
from dse.space import Space, parse_space
from tests.search.conftest import MANY

CHOSEN = {"stem.channels": 8, "body.repeat": 2, "width": 33, "body.kernel": 5}


def searched(space: Space, evaluate: Any, trials: int, **more: Any) -> Search:
    """A search that keeps its space, as the command line's do."""
    return Search(
        space,
        evaluate,
        objectives=("accuracy",),
        trials=trials,
        sampler="random",
        files={"space.yaml": MANY},
        **more,
    )


def chosen(space: Space) -> Any:
    """A network of the space that random draws hardly ever are."""
    wanted = {**CHOSEN, "pool.mode": "max"}
    return space.bind({name: wanted[name] for name in space.walk(lambda n, _: wanted[n])})


def test_a_run_that_has_ended_takes_it_up_when_it_is_resumed(recorder: Any) -> None:
    space = parse_space(MANY, "many")
    searched(space, recorder, 3).run("r")
    network = chosen(space)
    sentence = enqueue(open_run("r"), network)
    assert sentence.endswith("dse search --run r --resume --trials 4")
    run = searched(space, recorder, 4).run("r", resume=True)
    assert run.trials[-1].network == network
    assert f"trial {run.trials[-1].trial} of r" in sentence
    with pytest.raises(InvalidValue, match=f"already, as trial {run.trials[-1].trial}"):
        enqueue(open_run("r"), network)


def test_a_search_under_way_takes_it_up_next() -> None:
    space = parse_space(MANY, "many")
    network = chosen(space)
    seen: list[Candidate] = []
    said: list[str] = []

    def evaluate(candidate: Candidate, report: Report) -> dict[str, float]:
        seen.append(candidate)
        if len(seen) == 2:
            said.append(enqueue(open_run("r"), network))
        return {"accuracy": 0.5}

    searched(space, evaluate, 5).run("r")
    assert said[0].endswith("takes it up next")
    assert seen[2].network == network
    assert len(open_run("r").trials) == 5


def test_what_the_run_could_not_evaluate_is_refused(recorder: Any) -> None:
    space = parse_space(MANY, "many")
    searched(space, recorder, 1, budget=Budget(params=5_000)).run("r")
    run = open_run("r")
    with pytest.raises(InvalidValue, match="over its params"):
        enqueue(run, chosen(space))
    with pytest.raises(InvalidValue, match="about 3x16x16 images and 3 classes"):
        enqueue(run, chosen(space.with_io(input=Shape((3, 32, 32)))))
    with pytest.raises(InvalidValue, match="does not hold this design"):
        enqueue(run, load_preset("hybrid-mobilenet", input="3x16x16", classes=3))
    assert recorder.seen[1:] == []


def test_a_run_without_its_space_says_so(few: Space, recorder: Any) -> None:
    search(few, recorder, trials=1, run="r")
    with pytest.raises(InvalidValue, match="did not keep its space 'few'"):
        enqueue(open_run("r"), few.bind({"stem.channels": 4, "stem.kernel": 1}))
