"""Files as they are met: wrapped, prefixed, damaged, hostile."""

from __future__ import annotations

import argparse
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from dse.errors import DataError
from dse.runtime.weights.read import read_weights
from tests.runtime.weights.files import ENDINGS, written

STATE = {"conv.weight": torch.arange(24.0).reshape(2, 3, 2, 2), "conv.bias": torch.ones(2)}

Wrap = Callable[[dict[str, Any]], Any]


def prefixed(prefix: str) -> Wrap:
    return lambda state: {f"{prefix}{name}": tensor for name, tensor in state.items()}


WRAPS: dict[str, Wrap] = {
    "plain": lambda state: state,
    "ordered": OrderedDict,
    "state_dict": lambda state: {"epoch": 3, "state_dict": state, "best": torch.tensor(0.5)},
    "model": lambda state: {"model": state, "optimizer": {"state": {}, "param_groups": []}},
    "model_state_dict": lambda state: {"model_state_dict": state, "epoch": 1},
    "both": lambda state: {"model": {"state_dict": state}},
    "parallel": prefixed("module."),
    "compiled": prefixed("_orig_mod."),
    "trainer": lambda state: {"state_dict": prefixed("model.")(state), "epoch": 9},
    "all": lambda state: {"model": prefixed("module._orig_mod.model.")(state)},
    "counted": lambda state: {**state, "bn.num_batches_tracked": torch.tensor(7), "epoch": 3},
}


@pytest.mark.parametrize("wrap", WRAPS.values(), ids=WRAPS)
def test_a_checkpoint_is_opened(wrap: Wrap, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    torch.save(wrap(STATE), path)
    found = read_weights(path)
    assert found.keys() == STATE.keys()
    for name, tensor in STATE.items():
        assert torch.equal(found[name], tensor)


def test_a_prefix_that_only_some_share_stays(tmp_path: Path) -> None:
    state = {"model.conv.weight": torch.ones(1), "head.weight": torch.ones(1)}
    path = written(state, tmp_path / "weights.safetensors")
    assert read_weights(path).keys() == state.keys()


def test_the_form_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    written(STATE, tmp_path / "weights.safetensors").rename(tmp_path / "weights.bin")
    assert read_weights(tmp_path / "weights.bin").keys() == STATE.keys()
    torch.save(STATE, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert read_weights(tmp_path / "old.pt").keys() == STATE.keys()


# -- code ----------------------------------------------------------------------------------------


class Hostile:
    """Pickled, it asks to be unpickled by making a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


class Shell:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, (f"touch {self.path}",)


def save_by_pickle(what: object, path: Path) -> None:
    path.write_bytes(pickle.dumps(what, protocol=2))


@pytest.mark.parametrize("save", [torch.save, save_by_pickle])
@pytest.mark.parametrize("kind", [Hostile, Shell])
def test_code_in_a_file_is_not_run(kind: Any, save: Any, tmp_path: Path) -> None:
    made, path = tmp_path / "made", tmp_path / "weights.pth"
    save({**STATE, "payload": kind(made)}, path)
    with pytest.raises(DataError, match=r"^\S+weights.pth: reading it would run code \(\S+\), wh"):
        read_weights(path)
    assert not made.exists()
    pickle.loads(pickle.dumps(kind(made)))  # the payload is one that works
    assert made.exists()


def test_code_in_a_newer_pickle_is_not_run_either(tmp_path: Path) -> None:
    made, path = tmp_path / "made", tmp_path / "weights.pth"
    path.write_bytes(pickle.dumps({**STATE, "payload": Shell(made)}, protocol=5))
    with pytest.raises(DataError, match="is damaged or no file of weights"):
        read_weights(path)
    assert not made.exists()


def test_a_checkpoint_with_objects_in_it_says_which_and_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "last.pth.tar"
    torch.save({"state_dict": STATE, "args": argparse.Namespace(lr=0.1)}, path)
    with pytest.raises(DataError, match=r"\(argparse\.Namespace\).* save its state dict alone"):
        read_weights(path)


def test_a_pickled_module_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "model.pt")
    with pytest.raises(DataError, match=r"would run code \(torch\.nn\.modules\.linear\.Linear\)"):
        read_weights(tmp_path / "model.pt")


def test_a_scripted_module_is_refused(tmp_path: Path) -> None:
    torch.jit.script(nn.Linear(2, 2)).save(str(tmp_path / "model.pt"))
    with pytest.raises(DataError, match=r"scripted module.* save its state_dict\(\)"):
        read_weights(tmp_path / "model.pt")


# -- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("part", [0, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_file_that_was_cut_short_is_refused(ending: str, part: float, tmp_path: Path) -> None:
    path = written(STATE, tmp_path / f"weights{ending}")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(DataError, match=r"is damaged or no file of weights"):
        read_weights(path)


@given(st.binary(max_size=64) | st.binary(max_size=32).map(lambda b: b"\x20" + bytes(7) + b"{" + b))
def test_no_bytes_do_more_than_be_refused(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "weights.pth")
        path.write_bytes(content)
        with pytest.raises(DataError):
            read_weights(path)


@pytest.mark.parametrize(
    "content",
    [{}, [], [torch.ones(2)], torch.ones(2), {"epoch": 3}, {"state_dict": {}}, {1: torch.ones(2)}],
    ids=repr,
)
def test_a_file_without_weights_is_refused(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(DataError, match=r"weights\.pth: holds no weights: a state dict maps"):
        read_weights(tmp_path / "weights.pth")


def test_another_archive_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "weights.zip", "w") as archive:
        archive.writestr("weights.txt", "1 2 3")
    with pytest.raises(DataError, match="is damaged or no file of weights"):
        read_weights(tmp_path / "weights.zip")


def test_an_absent_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.pth: the weights cannot be read: no such file"):
        read_weights(tmp_path / "absent.pth")
    with pytest.raises(DataError, match=r"the weights cannot be read: is a directory"):
        read_weights(tmp_path)
