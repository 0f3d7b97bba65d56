"""The module that is trained is the emitted file, imported."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from platformdirs import user_cache_dir

from dse.atomic import write_atomically
from dse.emit import emit
from dse.network import Network

if TYPE_CHECKING:
    from torch import nn


def build(network: Network, *, weights: str | Path | None = None) -> nn.Module:
    """A torch module of `network`, from its emitted source.

    The source is a real file, so tracebacks, `inspect` and pickling work.

    Args:
        network: what to build.
        weights: a state dict in a file, whatever its names (see `load_weights`, which also says
            what became of it); without it weights are fresh.

    Raises:
        InvalidDesign: the network cannot be built.
        DataError: the file cannot be read, or would have to run code to be.
        InvalidValue: its layers are not those of the network.
    """
    module = load_source(emit(network))
    model: nn.Module = module.create_model(network.classes)
    if weights is not None:
        from dse.runtime.weights import load_weights

        load_weights(model, network, weights)
    return model


def load_source(source: str) -> ModuleType:
    """Import emitted source as a module of its own, named after its content."""
    digest = hashlib.sha256(source.encode()).hexdigest()[:24]
    name = f"dse_emitted_{digest}"
    if name in sys.modules:
        return sys.modules[name]
    path = _write_once(_folder() / f"{name}.py", source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _folder() -> Path:
    """Where emitted files are kept: the user's cache, or a temporary folder if that cannot be
    written.
    """
    base = Path(os.environ.get("DSE_CACHE") or user_cache_dir("dse"))
    folder = base / "emitted"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="dse-emitted-"))


def _write_once(path: Path, source: str) -> Path:
    """Write through a temporary file, so that a process beside this one never imports half a
    module.
    """
    # The name carries the hash, but a cache may have been tampered with or cut short.
    if path.exists() and path.read_text(encoding="utf-8") == source:
        return path
    write_atomically(path, source)
    return path
