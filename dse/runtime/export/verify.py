"""Whether an exported file is a design's, and computes what torch computes with its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dse.data import Dataset
from dse.errors import InvalidValue
from dse.network import Network
from dse.runtime.export.formats import INT8, ONNX, Opened, format_of, open_file, suffix_of
from dse.runtime.export.preprocessing import Preprocessing
from dse.runtime.load import build
from dse.runtime.onnx import read_onnx
from dse.runtime.onnx.check import torch_scores

if TYPE_CHECKING:
    from torch import nn

TOLERANCE = 1e-4
"""The largest difference, as a part of the largest score, that float32 explains: of the presets'
files none strays by more than a tenth of it.
"""

_BATCHES = (1, 3)
_COUNTED = "num_batches_tracked"


@dataclass(frozen=True)
class Tried:
    """A file and torch on the validation part of a data set.

    Attributes:
        dataset: whose.
        images: how many.
        agreement: share of them to which both give the same class.
        accuracy, torch_accuracy: of the file and of torch in float32.
    """

    dataset: str
    images: int
    agreement: float
    accuracy: float
    torch_accuracy: float


@dataclass(frozen=True)
class Verified:
    """What became of a file that was held against a design.

    Attributes:
        file: its path.
        format: see `format_names`.
        name, digest: of the design.
        input, classes: what it takes and how many scores it gives.
        opset: of an ONNX file.
        batch: the only number of images that it takes at once; None if any.
        weights: where torch's came from: the file itself or another.
        max_abs_error: largest difference from torch, on random images.
        max_rel_error: that as a part of torch's largest score.
        tried: on images of a data set, if one was given.
    """

    file: str
    format: str
    name: str
    digest: str
    input: str
    classes: int
    opset: int | None
    batch: int | None
    weights: str
    max_abs_error: float
    max_rel_error: float
    tried: Tried | None

    @property
    def holds(self) -> bool:
        """Whether it computes what the design does; int8 is not expected to, to the last bit."""
        return self.format == INT8 or self.max_rel_error <= TOLERANCE

    def document(self) -> dict[str, Any]:
        """As `dse verify --json` prints it."""
        return {**asdict(self), "holds": self.holds}


def verify(
    path: Path,
    network: Network,
    *,
    weights: Path | None = None,
    data: Dataset | None = None,
) -> Verified:
    """Hold an exported file against a design.

    Args:
        path: the file, of a format that dse writes.
        network: the design.
        weights: torch's, for files that do not keep them under their names; by default those of
            the ONNX file of the same name beside it.
        data: try the file on the validation part of these images too, prepared as it says.

    Raises:
        DataError: the file is absent, damaged or of another format.
        InvalidValue: it is not ours, is of another design or data set, or no weights are at hand.
        MissingExtra: the package that runs it is not installed.
    """
    opened = open_file(path)
    _check_design(path, opened.metadata, network)
    module, source = _module(path, opened, network, weights)
    absolute, relative = _errors(path, opened, network, module)
    return Verified(
        file=str(path),
        format=format_of(path),
        name=network.name,
        digest=network.digest,
        input=str(network.input),
        classes=network.classes,
        opset=opened.opset,
        batch=opened.batch,
        weights=source,
        max_abs_error=absolute,
        max_rel_error=relative,
        tried=None if data is None else _tried(path, opened, network, module, data),
    )


def _check_design(path: Path, metadata: Mapping[str, str], network: Network) -> None:
    if metadata["digest"] != network.digest:
        raise InvalidValue(
            f"{path} is of the design {metadata['digest']} ({metadata.get('input')}, "
            f"{metadata.get('classes')} classes), not of {network.name}, which is {network.digest} "
            f"({network.input}, {network.classes} classes)"
        )


def _module(
    path: Path, opened: Opened, network: Network, weights: Path | None
) -> tuple[nn.Module, str]:
    """The network in torch with the file's weights, and where these came from."""
    if weights is not None:
        return build(network, weights=weights), str(weights)
    if opened.weights is not None:
        return with_weights(network, opened.weights, path), "the file's own"
    name = path.name.removesuffix(suffix_of(format_of(path)))
    beside = path.with_name(name + suffix_of(ONNX))
    if not beside.is_file():
        raise InvalidValue(
            f"{path} does not keep its weights in float32: give --weights, or have {beside.name} "
            "beside it"
        )
    found = read_onnx(beside.read_bytes())
    _check_design(beside, found.metadata, network)
    assert found.weights is not None, "its name says that it is not quantised"
    return with_weights(network, found.weights, beside), str(beside)


def with_weights(network: Network, weights: Mapping[str, Any], place: Path) -> nn.Module:
    """A module of a network with the tensors of an exported file.

    Raises:
        InvalidValue: the file, at `place`, lacks one or has one too many.
    """
    import torch

    module = build(network)
    state = {
        # A copy: arrays that were read from a file may not be written to, as torch's may.
        name: torch.from_numpy(value.copy()) if isinstance(value, np.ndarray) else value
        for name, value in weights.items()
    }
    try:
        missing, unexpected = module.load_state_dict(state, strict=False)
    except RuntimeError:
        raise InvalidValue(
            f"{place}: its weights are not of the shapes of {network.name}"
        ) from None
    constants = dict(module.named_buffers()).keys()  # TorchScript keeps them with the weights
    wrong = [name for name in missing if not name.endswith(_COUNTED)]
    wrong += [name for name in unexpected if name not in constants]
    if wrong:
        raise InvalidValue(f"{place}: its weights are not those of {network.name}: {wrong[0]}")
    return module


def _errors(path: Path, opened: Opened, network: Network, module: nn.Module) -> tuple[float, float]:
    generator = np.random.default_rng(0)
    errors, largest = [], 0.0
    for batch in _BATCHES:
        images = generator.standard_normal((batch, *network.input), np.float32)
        try:
            ours = opened.scores(images)
        except Exception as error:  # each runtime has its own kinds
            reason = str(error).partition("\n")[0]
            raise InvalidValue(f"{path} cannot take {batch} images: {reason}") from None
        theirs = torch_scores(module, images)
        if ours.shape != theirs.shape:
            raise InvalidValue(f"{path} must give scores of shape {theirs.shape}, got {ours.shape}")
        errors.append(float(np.abs(ours - theirs).max()))
        largest = max(largest, float(np.abs(theirs).max()))
    worst = float(np.max(errors))  # not a number, if one is not
    return worst, worst / largest if largest else worst


def _tried(path: Path, opened: Opened, network: Network, module: nn.Module, data: Dataset) -> Tried:
    preprocessing = Preprocessing.read(opened.metadata)
    if preprocessing is None:
        raise InvalidValue(
            f"{path} does not say how its images were normalised, so {data.name} says nothing "
            "about it"
        )
    part = data.splits().val
    images = preprocessing.apply(data, part, network)
    ours = opened.scores(images).argmax(axis=1)
    theirs = np.concatenate(
        [torch_scores(module, images[i : i + 64]) for i in range(0, len(images), 64)]
    ).argmax(axis=1)
    labels = data.labels[part]
    return Tried(
        data.name,
        len(labels),
        float((ours == theirs).mean()),
        float((ours == labels).mean()),
        float((theirs == labels).mean()),
    )
