"""A pack: networks to time, as a folder that needs nothing of dse where it is run."""

from __future__ import annotations

import json
import random
import shutil
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from dse.devices import machine, runner
from dse.devices.observe import probe
from dse.devices.specimens import chains, designs
from dse.devices.weights import constant_weights
from dse.errors import InvalidValue
from dse.network import Network
from dse.runtime.onnx import program_to_onnx

DESIGNS, CHAINS, WHOLE = 130, 150, 280
"""Of the spaces and of random blocks, to time kernel by kernel; of the spaces, to time whole."""

_SHORT, _LONG = 1.5e8, 4e8
"""Multiply-adds at most of those from spaces to time kernel by kernel, which are short enough not
to be interrupted, and of the others."""

_README = """\
Latency pack: networks to time on the machine that they are meant for.
Copy the folder there, `pip install onnxruntime numpy`, then `python runner.py --minutes 8`.
Bring `results.json` back: `dse device import results.json --name NAME`.
"""


def write_pack(
    folder: Path,
    progress: Callable[[float], None],
    *,
    whole: int = WHOLE,
    spaces: int = DESIGNS,
    blocks: int = CHAINS,
) -> None:
    """Write the pack into an empty or new folder; equal calls write equal packs.

    Raises:
        InvalidValue: the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidValue(f"a pack needs a new or empty folder, got {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(0)
    from_spaces, from_blocks = designs(rng, _SHORT), chains(rng, _LONG)
    specimens: list[tuple[str, Network | None]] = [("probe", None)]
    specimens += [("whole", network) for network in islice(designs(rng, _LONG), whole)]
    specimens += [("kernels", network) for network in islice(from_spaces, spaces)]
    specimens += [("kernels", network) for network in islice(from_blocks, blocks)]
    graphs: list[dict[str, Any]] = []
    path = folder / runner.GRAPHS
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, (role, network) in enumerate(specimens):
            name = f"{number:03}"
            program = probe() if network is None else network.lower()
            model = program_to_onnx(program, constant_weights(program)).SerializeToString()
            archive.writestr(f"{name}.onnx", model)
            graphs.append({"name": name, "role": role, "design": _document(network)})
            progress((number + 1) / len(specimens))
    pack = {"format": runner.FORMAT, "graphs": graphs}
    (folder / runner.PACK).write_text(json.dumps(pack), encoding="utf-8")
    (folder / "README").write_text(_README, encoding="utf-8")
    for module in (runner, machine):
        source = Path(str(module.__file__))
        shutil.copy(source, folder / source.name)


def _document(network: Network | None) -> dict[str, Any] | None:
    return None if network is None else network.model_dump(mode="json", exclude_defaults=True)
