"""What a user may get wrong: exit code 2, one sentence that says the rule, the value, the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

NETWORK: dict[str, Any] = {
    "name": "tiny",
    "input": "3x32x32",
    "classes": 3,
    "nodes": [
        {"name": "stem", "conv": {"channels": 8}},
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {}},
    ],
}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("foo", ["'foo'", "dse --help"]),
        ("list foo", ["'foo' is not one of", "'presets'"]),
        ("cost", ["missing argument 'name'"]),
        ("cost squezenet", ["'squezenet'", "did you mean 'squeezenet'?"]),
        ("cost nothing-like-it", ["known: darkcovidnet, densenet-169", "vgg-19-bn"]),
        ("cost squeezenet --clases 3", ["--clases", "--classes"]),
        ("cost squeezenet --classes 1", ["--classes: an integer from 2; got '1'"]),
        ("cost squeezenet --classes many", ["--classes: an integer from 2; got 'many'"]),
        ("cost squeezenet --classes 99999999", ["1000000", "99999999"]),
        ("cost squeezenet --image-size 0", ["--image-size: an integer from 1; got '0'"]),
        ("cost squeezenet --image-size 4", ["conv1", "kernel 7", "3x4x4"]),
        ("cost squeezenet --image-size 1000000", ["1000000"]),
        ("cost squeezenet --input 3x32", ["CHANNELSxHEIGHTxWIDTH", "'3x32'"]),
        ("cost squeezenet --input 3x32x32 --image-size 32", ["not both"]),
        ("cost squeezenet --set classes=5 --classes 6", ["set twice", "5", "6"]),
        ("cost squeezenet --set alpha=0.5", ["no argument of squeezenet", "'alpha'"]),
        ("cost hybrid-mobilenet --set alpha", ["name=value", "'alpha'"]),
        ("cost hybrid-mobilenet --set =1", ["name=value", "'=1'"]),
        ("cost hybrid-mobilenet --set alpha=wide", ["alpha is of type float", "'wide'"]),
        ("cost hybrid-mobilenet --set alpha=nan", ["alpha is above 0 and at most 4, got nan"]),
        ("cost hybrid-mobilenet --set delta=1.5", ["delta is of type int", "1.5"]),
        ("cost hybrid-mobilenet --set delta=true", ["delta is of type int", "True"]),
        ("cost hybrid-mobilenet --set downsample=x", ["stride, maxpool3, fractional", "x"]),
        ("cost nowhere.json", ["nowhere.json", "no such file"]),
        ("cost ''", ["''"]),
        ("cost /", ["'/'"]),
        ("cost run#1", ["no run is called 'run'"]),
        ("cost ../x#1", ["a run's name", "'../x'"]),
        ("show squeezenet --code --json", ["one of --code, --graph and --json"]),
        ("generate squeezenet --out file/below", ["file/below", "cannot be written"]),
        ("generate squeezenet --out taken", ["squeezenet.py", "is a directory"]),
        ("show squeezenet --graph file/below.svg", ["file", "file exists"]),
        ("papers --jsn", ["--jsn", "--json"]),
        ("report nothing", ["no run or experiment is called 'nothing'"]),
        ("report ../nothing", ["a run's name", "'../nothing'"]),
        ("space show nothing", ["no space is called 'nothing'", "lightweight"]),
        ("space show nowhere.yaml", ["nowhere.yaml", "no such file"]),
        ("space check fir", ["did you mean 'fire'?"]),
        ("space stats fire --samples 0", ["--samples: an integer from 1; got '0'"]),
        ("space stats fire --samples 1e9x", ["--samples", "'1e9x'"]),
        ("space stats fire --budget-params -3", ["a number above 0", "'-3'"]),
        ("space stats fire --budget-params 1e6x", ["as in 1e6, 1M or 310M", "'1e6x'"]),
        ("space sample fire --count -1", ["--count: an integer from 1; got '-1'"]),
        ("space sample fire --input 3x0x8", ["3x0x8"]),
        ("space sample fire --classes 0", ["--classes: an integer from 2; got '0'"]),
        ("search", ["a search needs --dataset", "covid, digits, cifar10"]),
        ("search --dataset nothing", ["no data set is called 'nothing'"]),
        ("search --dataset ./nothing", ["nothing"]),
        ("search --dataset covid --data-dir ./no/such", ["must exist", "no/such"]),
        ("search --dataset digits --budget-params 1e6x", ["--budget-params", "'1e6x'"]),
        ("search --dataset digits --budget-params=-5", ["a number above 0", "'-5'"]),
        ("search --dataset digits --budget-macs 0", ["a number above 0", "'0'"]),
        ("search --dataset digits --budget-flops nan", ["a number above 0", "'nan'"]),
        ("search --dataset digits --budget-params _", ["a number above 0", "'_'"]),
        ("search --dataset digits --budget-params 1e999", ["a number above 0", "'1e999'"]),
        ("search --dataset digits --time-limit 3x", ["90s, 30m or 2h", "'3x'"]),
        ("search --dataset digits --trials 0", ["--trials: an integer from 1; got '0'"]),
        ("search --dataset digits --workers 0", ["--workers: an integer from 1; got '0'"]),
        ("search --dataset digits --epochs -1", ["--epochs: an integer from 1; got '-1'"]),
        ("search --dataset digits --recipe quik", ["no recipe is called 'quik'", "'quick'"]),
        ("search --dataset digits --recipe-set epochs=x", ["epochs must be", "got 'x'"]),
        ("search --dataset digits --recipe-set zoom=1", ["no recipe setting is called 'zoom'"]),
        ("search --dataset digits --image-size 4", ["an integer from 8 to 1024; got '4'"]),
        ("search --dataset digits --seed -1", ["--seed: an integer from 0; got '-1'"]),
        ("search --dataset digits --run ../x", ["a run's name", "'../x'"]),
        ("search --dataset digits --run a/b", ["a run's name", "'a/b'"]),
        ("search --dataset digits --space nothing", ["no space is called 'nothing'"]),
        ("search --dataset digits --space no.yaml", ["no.yaml", "no such file"]),
        ("search --dataset digits --sampler nsga", ["did you mean 'nsga2'?"]),
        ("search --dataset digits --objective acuracy", ["did you mean 'accuracy'?"]),
        ("search --dataset digits --device x", ["no device is called 'x'", "onnxruntime-cpu"]),
        ("search --dataset digits --storage study.db", ["sqlite:///study.db", "'study.db'"]),
        ("search --dataset digits --train-device tpu", ["no device is called 'tpu'"]),
        ("search --dataset digits --out file/below", ["file/below", "cannot be made"]),
        ("search --resume", ["--resume needs --run"]),
        ("search --resume --run nothing", ["no run is called 'nothing'; known: none"]),
    ],
)
def test_a_mistake_is_one_sentence(refused: Any, line: str, words: list[str]) -> None:
    Path("file").touch()
    Path("taken/squeezenet.py").mkdir(parents=True)
    text = refused(*(word.strip("'") for word in line.split()))
    for word in words:
        assert word in text
    assert not Path("runs").exists()  # nothing was begun


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["not JSON", "line 1"]),
        ('{"name": "x",\n "input":\n', ["not JSON", "line 3"]),
        ("[1]", ["a network is a mapping, got list"]),
        (json.dumps({**NETWORK, "input": "3x2x2", "nodes": [{"name": "p", "pool": {"kernel": 9}}]}),
         ["p Pool", "window 9 on 3x2x2"]),
        (json.dumps({**NETWORK, "nodes": [{"name": "p", "poool": {}}]}), ["did you mean 'pool'?"]),
        (json.dumps({**NETWORK, "nodes": NETWORK["nodes"][:1]}), ["one score per class", "stem"]),
        (json.dumps({**NETWORK, "clases": 3}), ["did you mean 'classes'?"]),
        ("[" * 100_000, ["not"]),
        ('{"classes": 1' + "0" * 5_000 + "}", ["not JSON"]),
    ],
    ids=range(9),
)  # fmt: skip
def test_a_design_file_that_is_none(refused: Any, text: str, words: list[str]) -> None:
    Path("design.json").write_text(text)
    for command in ("show", "cost", "generate"):
        said = refused(command, "design.json")
        assert said.startswith("design.json: ")
        for word in words:
            assert word in said


def test_a_design_file_that_is_no_text(refused: Any) -> None:
    Path("design.json").write_bytes(b"\xff\xfe\x00")
    assert refused("show", "design.json") == (
        "design.json: the design cannot be read: not text in UTF-8"
    )
    Path("folder.json").mkdir()
    assert refused("show", "folder.json").endswith("the design cannot be read: is a directory")


@pytest.mark.parametrize(
    "text",
    ["a: [\n", "about: x", "- 1", "network: {input: 3x8x8, classes: 3, nodes: []}", "\tx: 1"],
)
def test_a_space_file_that_is_none(refused: Any, text: str) -> None:
    Path("mine.yaml").write_text(text)
    assert "mine.yaml" in refused("space", "show", "mine.yaml")
    assert "mine.yaml" in refused("search", "--dataset", "digits", "--space", "mine.yaml")
    assert not Path("runs").exists()


ATTACK = "__import__('pathlib').Path('pwned').touch()"


@pytest.mark.parametrize(
    "place",
    [
        {"name": f'x"; {ATTACK} #'},
        {"name": f"x\n{ATTACK}"},
        {"title": f"X(nn.Module): {ATTACK}"},
        {"about": f'""" + {ATTACK} + """'},
        {"about": f"line\n{ATTACK}"},
        {"nodes": [{"name": f"a\n{ATTACK}", "conv": {"channels": 8}}]},
        {"nodes": [{"name": "a", "conv": {"channels": 8, "activation": ATTACK}}]},
        {"nodes": [{"name": "a", "conv": {"channels": ATTACK}}]},
        {"nodes": [{"name": "__class__", "conv": {"channels": 8}}]},
    ],
    ids=lambda place: next(iter(place)),
)
def test_names_that_try_to_be_code_are_refused(refused: Any, place: dict[str, Any]) -> None:
    Path("design.json").write_text(json.dumps({**NETWORK, **place}))
    for command in (["show", "--code"], ["show", "--graph", "x.svg"], ["generate", "--onnx"]):
        refused(command[0], "design.json", *command[1:])
    assert not Path("pwned").exists()
    assert not Path("x.svg").exists()
    assert not Path("generated").exists()


def test_a_harmless_design_passes_the_same_way(dse: Any) -> None:
    Path("design.json").write_text(json.dumps(NETWORK))
    for command in (["show", "--code"], ["show", "--graph", "x.svg"], ["generate"]):
        assert dse(command[0], "design.json", *command[1:]).code == 0


def test_a_bug_of_ours_is_not_hidden(dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr("dse.designs.load_preset", broken)
    with pytest.raises(ZeroDivisionError):
        dse("cost", "squeezenet")
