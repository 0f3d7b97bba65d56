"""Commands that read: list, show, cost, papers, generate, space."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dse.blocks import block_kinds
from dse.cost import cost
from dse.network import parse_network
from dse.presets import load_preset, preset_names
from dse.recipes import names as recipe_names
from dse.space import load_space, space_names

COST_KEYS = {
    "name",
    "params",
    "params_with_buffers",
    "macs",
    "peak_activation_bytes",
    "input",
    "classes",
    "blocks",
}

# -- list ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("presets", preset_names()),
        ("blocks", sorted(block_kinds())),
        ("spaces", space_names()),
        ("datasets", ["covid", "digits", "cifar10"]),
        ("recipes", recipe_names()),
        ("devices", ["onnxruntime-cpu", "torch-cpu"]),
    ],
)
def test_list(dse: Any, kind: str, names: list[str]) -> None:
    said = dse("list", kind)
    assert said.code == 0
    assert said.err == ""
    header, *lines = said.out.splitlines()
    assert header.startswith("name ")
    first = [line.split()[0] for line in lines]
    assert first[: len(names)] == names
    rows = dse("list", kind, "--json").json
    assert [row["name"] for row in rows] == first
    # One line of description each, whole and without markup.
    for row in rows:
        for text in row.values():
            assert "\n" not in str(text)
            assert "``" not in str(text)


def test_list_alone_lists_presets(dse: Any) -> None:
    assert dse("list").out == dse("list", "presets").out


def test_list_presets_says_what_they_cost_and_take(dse: Any) -> None:
    rows = {row["name"]: row for row in dse("list", "presets", "--json").json}
    assert rows["squeezenet"]["params"] == cost(load_preset("squeezenet")).params
    assert rows["hybrid-mobilenet"]["arguments"].split() == ["alpha", "delta", "downsample"]


def test_list_datasets_says_where_the_phantoms_stand_in(
    dse: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DSE_DATA", raising=False)
    monkeypatch.setenv("DSE_CACHE", str(tmp_path))
    rows = {row["name"]: row for row in dse("list", "datasets", "--json").json}
    assert rows["covid"]["status"] == "synthetic"


# -- show and cost ------------------------------------------------------------------------------


def test_show_is_the_table_a_paper_prints(dse: Any) -> None:
    said = dse("show", "spp-covid-net")
    lines = said.out.splitlines()
    assert lines[0] == "spp-covid-net: 3x256x256 -> 3 classes"
    assert lines[1].split() == ["node", "block", "output", "params", "MACs"]
    total = next(line for line in lines if line.startswith("total"))
    assert total.split() == ["total", "859,883", "192,442,880"]


def test_show_code_is_the_emitted_source(dse: Any) -> None:
    from dse.emit import emit

    assert dse("show", "squeezenet", "--code", "--classes", 7).out == emit(
        load_preset("squeezenet", classes=7)
    )


def test_show_json_rereads_to_the_same_network(dse: Any) -> None:
    said = dse("show", "hybrid-mobilenet", "--json", "--set", "alpha=0.5", "--set", "delta=4")
    assert parse_network(said.out, "stdout") == load_preset("hybrid-mobilenet", alpha=0.5, delta=4)
    Path("half.json").write_text(said.out)
    assert dse("cost", "half.json", "--json").json == {
        **dse("cost", "hybrid-mobilenet", "--json", "--set", "alpha=0.5", "--set", "delta=4").json,
    }


def test_show_graph_draws_an_svg(dse: Any) -> None:
    said = dse("show", "hl-cnn", "--graph", "drawn/hl.svg")
    assert said.out == "drawn/hl.svg\n"
    text = Path("drawn/hl.svg").read_text()
    assert text.startswith(("<svg", "<?xml"))
    assert "fusion" in text


@pytest.mark.parametrize("name", preset_names())
def test_cost_json_has_the_keys_programs_rely_on(dse: Any, name: str) -> None:
    document = dse("cost", name, "--json").json
    assert document.keys() >= COST_KEYS
    network = load_preset(name)
    assert document["params"] == cost(network).params
    assert document["macs"] == cost(network).macs == sum(b["macs"] for b in document["blocks"])
    assert document["params"] == sum(b["params"] for b in document["blocks"])
    assert [b["name"] for b in document["blocks"]] == [node.name for node in network.nodes]


def test_cost_names_both_macs_and_flops(dse: Any) -> None:
    out = dse("cost", "mobilenet-v1").out
    assert "MACs                        568,740,352\n" in out
    assert "FLOPs (2 x MACs)            1,137,480,704\n" in out
    assert "parameters                  4,231,976\n" in out


@pytest.mark.parametrize("by", ["block", "op"])
def test_cost_by_adds_up(dse: Any, by: str) -> None:
    lines = dse("cost", "squeezenet-1.1", "--by", by).out.splitlines()
    rows = [line.split() for line in lines[1 : lines.index("")]]
    assert lines[0].split() == ["name", by, "output", "params", "MACs", "activation", "bytes"]
    assert sum(int(row[-3].replace(",", "")) for row in rows) == 1_235_496
    assert sum(int(row[-2].replace(",", "")) for row in rows) == 349_151_936
    assert (len(rows) > 20) == (by == "op")


@pytest.mark.parametrize(
    ("options", "arguments"),
    [
        (["--classes", "7"], {"classes": 7}),
        (["--image-size", "64"], {"input": "3x64x64"}),
        (["--input", "1x96x80"], {"input": "1x96x80"}),
        (["--image-size", "128", "--set", "pools=4"], {"input": "3x128x128", "pools": 4}),
    ],
)
def test_cost_of_other_images_classes_and_arguments(
    dse: Any, options: list[str], arguments: dict[str, Any]
) -> None:
    document = dse("cost", "spp-covid-net", "--json", *options).json
    assert document["params"] == cost(load_preset("spp-covid-net", **arguments)).params
    assert document["macs"] == cost(load_preset("spp-covid-net", **arguments)).macs


# -- generate -----------------------------------------------------------------------------------


def test_generate_writes_source_design_and_onnx(dse: Any) -> None:
    said = dse(
        *("generate", "squeezenet-1.1", "--classes", 3, "--image-size", 32),
        *("--out", "there", "--onnx", "--json"),
    )
    document = said.json
    assert document["python"] == "there/squeezenet_1_1.py"
    assert document["design"] == "there/squeezenet_1_1.json"
    assert document["onnx"] == "there/squeezenet_1_1.onnx"
    assert document["check"]["max_abs_error"] < 1e-4
    network = load_preset("squeezenet-1.1", classes=3, input="3x32x32")
    assert parse_network(Path(document["design"]).read_text(), "design") == network
    # The file runs as it is, from anywhere, with nothing of dse.
    done = subprocess.run(
        [sys.executable, Path(document["python"]).name], cwd="there", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"{cost(network).params:,}" in done.stdout
    import onnx

    model = onnx.load(document["onnx"])
    onnx.checker.check_model(model)
    assert [d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim][1:] == [3, 32, 32]


def test_generate_check_says_what_is_current(dse: Any) -> None:
    assert dse("generate", "hl-cnn", "--out", "g").out == "g/hl_cnn.py\ng/hl_cnn.json\n"
    said = dse("generate", "hl-cnn", "--out", "g", "--check")
    assert (said.code, said.out) == (0, "1 network is current in g\n")
    assert dse("generate", "hl-cnn", "--out", "g", "--check", "--json").json == {
        "current": True,
        "stale": [],
    }
    path = Path("g/hl_cnn.py")
    path.write_text(path.read_text().replace("HL-CNN", "HL-XNN"))
    before = path.read_bytes()
    said = dse("generate", "hl-cnn", "--out", "g", "--check")
    assert (said.code, said.out) == (1, "")
    assert said.err == "g/hl_cnn.py is not current: run dse generate\n"
    assert path.read_bytes() == before  # nothing is written
    path.write_bytes(b"\xff\xfe")
    said = dse("generate", "hl-cnn", "--out", "g", "--check", "--json")
    assert said.code == 1
    assert said.json == {"current": False, "stale": ["g/hl_cnn.py"]}
    # A network of other sizes is not what lies there.
    assert dse("generate", "hl-cnn", "--classes", 3, "--out", "g", "--check").code == 1


def test_generate_alone_writes_every_preset(dse: Any) -> None:
    documents = dse("generate", "--out", "all", "--json").json
    assert [Path(d["python"]).stem for d in documents] == [
        load_preset(name).module_name for name in preset_names()
    ]
    assert dse("generate", "--out", "all", "--check").code == 0


def test_generate_again_changes_nothing(dse: Any) -> None:
    dse("generate", "squeezenet", "--out", "g")
    before = {path.name: path.read_bytes() for path in Path("g").iterdir()}
    dse("generate", "squeezenet", "--out", "g")
    assert {path.name: path.read_bytes() for path in Path("g").iterdir()} == before
    assert len(before) == 2


# -- space --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", space_names())
def test_space_show_lists_every_decision(dse: Any, name: str) -> None:
    choices = load_space(name).choices()
    out = dse("space", "show", name).out
    assert out.startswith(f"{name}: ")
    lines = [line.split()[0] for line in out.splitlines()[3:]]
    assert lines == list(choices)
    decisions = dse("space", "show", name, "--json").json["decisions"]
    assert decisions.keys() == choices.keys()
    kinds = {row["kind"] for row in decisions.values()}
    assert kinds <= {"categorical", "integer", "real"}


def test_space_check(dse: Any) -> None:
    assert dse("space", "check", "fire").out == "fire: no problem found\n"
    Path("wrong.yaml").write_text(
        "contains: [darkcovidnet]\n"
        "network:\n  input: 3x32x32\n  classes: 3\n  nodes:\n"
        "    - {name: stem, conv: {channels: {choose: [4, 8]}}}\n"
        "    - {name: pool, global_pool: {}}\n    - {name: classifier, classifier: {}}\n"
    )
    said = dse("space", "check", "wrong.yaml")
    assert said.code == 1
    assert said.out == ""
    assert "darkcovidnet" in said.err


@pytest.mark.slow
def test_space_stats(dse: Any) -> None:
    said = dse(*("space", "stats", "fire", "--samples", 200, "--budget-params", "1M"))
    lines = said.out.splitlines()
    assert lines[0].startswith("fire for 3x64x64 images, 3 classes: ")
    assert "fit 1,000,000 parameters" in lines[1]
    assert "of random draws" not in lines[2]  # the sample tells
    assert lines[2].startswith("decision vectors that fit: ")
    assert "standard error" in lines[2]
    rows = {line.split()[0]: line.split()[1:] for line in lines[5:8]}
    assert set(rows) == {"params", "macs", "peak_activation_bytes"}
    assert [line.split()[0] for line in lines if " from " in line] == list(rows)
    for values in rows.values():
        numbers = [int(value.replace(",", "")) for value in values]
        assert numbers == sorted(numbers)
    document = dse("space", "stats", "fire", "--samples", 40, "--json").json
    assert document["samples"] == 40
    assert (document["budget"], document["count"]) == ({}, None)
    again = dse("space", "stats", "fire", "--samples", 40, "--json", "--seed", 0).json
    assert again == document
    exact = ("space", "stats", "hybrid-mobilenet", "--samples", 40, "--budget-size", "2M")
    assert "decision vectors that fit: 60 exactly, 16.667% of random draws" in dse(*exact).out
    counted = dse(*exact, "--json").json
    assert counted["count"]["designs"] == {"value": 60, "error": 0}
    assert counted["size"] == 360


def test_space_sample_gives_networks_of_the_space(dse: Any) -> None:
    documents = dse(
        *("space", "sample", "fire", "--count", 3, "--input", "3x48x48", "--classes", 5, "--json")
    ).json
    assert len(documents) == 3
    for document in documents:
        network = parse_network(json.dumps(document), "sample")
        assert network in load_space("fire")
        assert (str(network.input), network.classes) == ("3x48x48", 5)
    assert dse("space", "sample", "fire", "--seed", 3).out != dse("space", "sample", "fire").out


# -- the program itself -------------------------------------------------------------------------


def test_help_fits_a_terminal_of_80_columns(dse: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = dse("--help")
    assert said.code == 0
    assert "..." not in said.out.partition("Commands:")[2]  # no description is cut off
    for command in (
        "list",
        "show",
        "cost",
        "diff",
        "papers",
        "generate",
        "search",
        "report",
        "space",
    ):
        assert f"\n  {command} " in said.out
        assert dse(command, "--help").code == 0


def test_no_command_shows_the_help(dse: Any) -> None:
    said = dse()
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("Usage: dse [OPTIONS] COMMAND")


def test_search_help_says_what_flops_are(dse: Any) -> None:
    text = " ".join(dse("search", "--help").out.split())
    assert "--budget-flops" in text
    assert "The papers call these FLOPs" in text
    assert "strictly, FLOPs are twice as many" in text


def test_a_pipe_that_closes_early_is_no_error(tmp_path: Path) -> None:
    done = subprocess.run(
        f"{sys.executable} -m dse cost squeezenet --by op | head -n 1; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"
