"""Where latency comes from."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import import_module

import onnx
import pytest
import torch

from dse.devices import Latency, device_names, find_device
from dse.devices.measure import measure
from dse.devices.measurer import Measurer
from dse.errors import DseError, InvalidValue, UnknownName
from dse.network import Network, read_network
from dse.presets import load_preset

SMALL = load_preset("squeezenet-1.1", classes=3, input="3x32x32")
ONNX = "onnxruntime-cpu"


def narrow_or_wide(channels: int, input: str) -> Network:
    """A network that is compiled in a moment."""
    nodes = [
        {"name": "stem", "conv": {"channels": channels}},
        {"name": "body", "conv": {"channels": channels}},
        {"name": "pool", "global_pool": {}},
        {"name": "classifier", "classifier": {}},
    ]
    return read_network({"name": "few", "input": input, "classes": 3, "nodes": nodes})


NARROW, WIDE = narrow_or_wide(8, "3x32x32"), narrow_or_wide(64, "3x96x96")

HERE = [
    pytest.param(name, marks=pytest.mark.slow if "compiled" in name else ())
    for name in device_names()
    if find_device(name).absent() is None
]


@pytest.fixture(scope="module")
def measurer() -> Iterator[Measurer]:
    with Measurer(ONNX) as measurer:
        yield measurer


@pytest.mark.parametrize("name", HERE)
def test_every_device_measures(name: str) -> None:
    assert find_device(name).name == name
    with Measurer(name) as measurer:
        small, large = measurer.latency(NARROW), measurer.latency(WIDE)
        eight = measurer.latency(NARROW, batch=8)
    for latency in (small, large, eight):
        assert 0 < latency.low_ms <= latency.median_ms <= latency.high_ms
        assert latency.median_ms <= latency.p95_ms
        assert latency.runs >= 24
        assert latency.clock == ("gpu" if "cuda" in name else "cpu")
        assert latency.median_ms == latency.processor.median_ms
        assert find_device(name).libraries[0] in latency.note
        assert "cuda" in name or "1 thread" in latency.note
    assert (small.batch, eight.batch) == (1, 8)
    # Hundreds of times the multiply-adds take longer anywhere.
    assert large.median_ms > small.median_ms
    assert small.median_ms < eight.median_ms


def test_several_threads_are_told_by_the_wall() -> None:
    with Measurer(ONNX, threads=2) as measurer:
        latency = measurer.latency(SMALL)
    assert (latency.clock, latency.threads) == ("wall", 2)
    assert latency.median_ms == latency.wall.median_ms
    assert "2 threads" in latency.note


def test_an_onnx_file_is_measured_as_its_network(measurer: Measurer) -> None:
    graph = find_device(ONNX).pack(SMALL)
    assert measurer.latency(graph).median_ms > 0


def test_one_process_measures_many_and_runs_one_runtime() -> None:
    script = (
        "import sys\n"
        "from dse.devices import find_device\n"
        "from dse.devices.child import Served\n"
        "from dse.presets import load_preset\n"
        "network = load_preset('squeezenet-1.1', classes=3, input='3x32x32')\n"
        "served = Served('onnxruntime-cpu', 1)\n"
        "served.load('one', find_device('onnxruntime-cpu').pack(network), 1)\n"
        "assert served.round('one', 1.0)\n"
        "served.drop('one')\n"
        "print(sorted({'torch', 'onnxruntime'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "['onnxruntime']", done.stderr


def test_measuring_leaves_torchs_threads_alone() -> None:
    before = torch.get_num_threads()
    with Measurer("torch-cpu", threads=1) as measurer:
        measurer.load("small", SMALL)
    assert torch.get_num_threads() == before


@pytest.mark.slow
def test_networks_devices_and_batches_are_measured_in_turn() -> None:
    shares: list[float] = []
    larger = load_preset("squeezenet", classes=3, input="3x64x64")
    found = measure(
        [("small", SMALL), ("the same", SMALL), ("large", larger)],
        batches=(1, 2),
        seconds=0.1,
        progress=shares.append,
    )
    assert [(row.name, row.device, row.latency.batch) for row in found] == [
        (name, ONNX, batch) for batch in (1, 2) for name in ("small", "the same", "large")
    ]
    assert {row.rounds for row in found} == {30}
    assert shares == sorted(shares)
    assert shares[-1] == 1
    first, same, large = (row.ratio for row in found[:3])
    assert (first.low, first.median, first.high) == (1, 1, 1)
    assert same.low <= same.median <= same.high < large.median
    document = found[2].document()
    assert document["ratio"]["median"] == large.median
    assert document["wall"]["median_ms"] > 0
    assert document["images_per_second"] == pytest.approx(1e3 / document["median_ms"])


# -- what goes wrong


def test_an_unknown_device() -> None:
    with pytest.raises(UnknownName, match="did you mean 'torch-cpu'"):
        find_device("torch-cpus")
    with pytest.raises(UnknownName, match="did you mean 'torch-cpu'"):
        Measurer("torch-cpus")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_device_that_this_machine_lacks() -> None:
    with pytest.raises(InvalidValue, match=r"torch-cuda cannot be .*torch finds no CUDA GPU here"):
        Measurer("torch-cuda")


def test_without_a_compiler_nothing_is_compiled() -> None:
    builder = import_module("torch._inductor.cpp_builder")
    config = import_module("torch._inductor.config")
    builder.cpp_compiler_search.cache_clear()
    # By torch's own patch: pytest's would leave the setting deleted.
    with (
        config.patch({"cpp.cxx": ("no-such-compiler",)}),
        pytest.raises(InvalidValue, match=r"torch.compile needs a C\+\+ compiler"),
    ):
        Measurer("torch-cpu-compiled")
    builder.cpp_compiler_search.cache_clear()


def test_a_file_that_is_no_graph_is_refused_and_the_next_is_measured(measurer: Measurer) -> None:
    with pytest.raises(InvalidValue, match="the ONNX file on onnxruntime-cpu: not an ONNX file"):
        measurer.latency(b"no graph")
    assert measurer.latency(SMALL).runs


def test_a_file_of_one_batch_takes_no_other(measurer: Measurer) -> None:
    model = onnx.load_from_string(find_device(ONNX).pack(SMALL))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    with pytest.raises(InvalidValue, match="takes batches of 1, got 4"):
        measurer.latency(model.SerializeToString(), batch=4)


def test_an_onnx_file_is_not_for_torch() -> None:
    with pytest.raises(
        InvalidValue, match="x: an ONNX file is measured by onnxruntime-cpu, got to"
    ):
        measure([("x", b"")], devices=("torch-cpu",), seconds=0.1)


@pytest.mark.parametrize("threads", [0, 10_000])
def test_threads_are_at_most_the_cores(threads: int) -> None:
    with pytest.raises(InvalidValue, match=f"threads are from 1 to the cores .* got {threads}"):
        measure([("small", SMALL)], threads=threads)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_process_that_dies_is_named_and_another_takes_its_place() -> None:
    with Measurer(ONNX) as measurer:
        measurer.load("small", SMALL)
        assert measurer._process is not None
        os.kill(measurer._process.pid, signal.SIGKILL)
        with pytest.raises(DseError, match=r"that measured small on onnxruntime-cpu died .SIGKILL"):
            measurer.round("small", 1.0)
        latency: Latency = measurer.latency(SMALL)
        assert latency.runs


@pytest.mark.skipif(os.name != "posix", reason="process ids")
def test_the_process_ends_with_the_one_that_asks() -> None:
    script = (
        "import os\n"
        "from dse.devices.measurer import Measurer\n"
        "from dse.presets import load_preset\n"
        "measurer = Measurer()\n"
        "measurer.load('x', load_preset('squeezenet-1.1', classes=3, input='3x32x32'))\n"
        "print(measurer._process.pid, flush=True)\n"
        "os._exit(9)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    child = int(done.stdout)
    for _ in range(200):
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the process that measures outlived the one that asked")
