"""Another implementation of a network, and the proof that ours computes the same.

A twin runs once on random images, and each of its layers is noted with its weights and with what it
read. Then ours runs: each layer takes the weights of that layer of the twin which has the same
shape and read the same values. So neither names nor the order of branches matter, and where the
two networks part, no layer of the twin has read what ours reads: the error says at which layer.
In the end the scores must be equal. All in double precision, so that rounding lies far below what
any difference of structure gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from dse.network import Network
from tests.modules import on_meta

ROUNDING = 1e-9
"""Largest difference of values that should be equal, as a part of the largest value."""

Weights = dict[str, Tensor]

_TENSORS = ("weight", "bias", "running_mean", "running_var")


@dataclass(eq=False)
class Layer:
    """A layer of a twin as it ran.

    Attributes:
        name: its path in the twin.
        weights: by torch's names and in torch's layout; a linear layer's as a 1x1 convolution's.
        input: what it read, as a map.
        eps: of a batch normalisation.
    """

    name: str
    weights: Weights
    input: Tensor
    eps: float


@dataclass
class Recording:
    """One run of a twin: images in, scores out, and the layers between in order of execution."""

    images: Tensor
    scores: Tensor
    layers: list[Layer]


def images_of(network: Network) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, *network.input, generator=generator, dtype=torch.float64)


class Draw:
    """Random numbers for what the other packages initialise with constants.

    A batch normalisation takes its statistics from what it reads, and is then thrown off them: so
    outputs neither vanish nor explode, however deep the network, and every number of it shows.

    Args:
        convolution_biases: False leaves them at zero, for a twin that has some which ours has not,
            because a normalisation that follows takes them away again.
    """

    def __init__(self, convolution_biases: bool) -> None:
        self._convolution_biases = convolution_biases
        self._generator = torch.Generator().manual_seed(0)

    def bias(self, like: Tensor, *, convolution: bool) -> Tensor:
        return self._normal(like) * (0.1 if self._convolution_biases or not convolution else 0)

    def norm(self, x: Tensor) -> Weights:
        """Of a batch normalisation that reads the map `x`."""
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        var = var + 0.1 * var.mean()  # a channel that hardly varies is not blown up
        return {
            "weight": self._uniform(mean, 0.7, 1.3),
            "bias": self._normal(mean) * 0.3,
            "running_mean": mean + self._normal(mean) * 0.3 * var.sqrt(),
            "running_var": var * self._uniform(mean, 0.6, 1.8),
        }

    def _normal(self, like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=self._generator, dtype=torch.float64)

    def _uniform(self, like: Tensor, low: float, high: float) -> Tensor:
        unit = torch.rand(like.shape, generator=self._generator, dtype=torch.float64)
        return low + (high - low) * unit


# -- a twin runs ---------------------------------------------------------------------------------


def record_torch(twin: nn.Module, images: Tensor, *, convolution_biases: bool = True) -> Recording:
    """Run a module of convolutions, batch normalisations and linear layers."""
    twin = twin.double().eval()
    draw = Draw(convolution_biases)
    layers: list[Layer] = []

    def note(name: str, module: nn.Module, x: Tensor) -> None:
        own = _tensors(module)
        drawn: Weights = {}
        if isinstance(module, nn.BatchNorm2d):
            drawn = draw.norm(x)
        elif "bias" in own:
            drawn = {"bias": draw.bias(own["bias"], convolution=isinstance(module, nn.Conv2d))}
        for key, value in drawn.items():
            own[key].copy_(value)
        layers.append(Layer(name, _as_map(own), x, getattr(module, "eps", 0.0)))

    with _watched(twin, note), torch.no_grad():
        scores = twin(images)
    return Recording(images, scores.flatten(1), layers)


def record_keras(twin: Any, images: Tensor, *, convolution_biases: bool = True) -> Recording:
    """Run a functional Keras model, channels last.

    Zeros put around a map are taken as the padding of the convolution that follows. What scales
    images before the first convolution is left out: ours takes scaled ones.
    """
    draw = Draw(convolution_biases)
    layers: list[Layer] = []
    padded: list[tuple[Tensor, Tensor]] = []

    def note(layer: Any, x: Tensor) -> None:
        x = next((inner for outer, inner in padded if outer is x), x)
        x = x.permute(0, 3, 1, 2) if x.dim() == 4 else x[:, :, None, None]
        kind = type(layer).__name__
        if kind == "BatchNormalization":
            drawn = draw.norm(x)
            theirs = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
            for variable, value in zip(theirs, drawn.values(), strict=True):
                variable.assign(value)
            layers.append(Layer(layer.name, drawn, x, layer.epsilon))
            return
        # The axes of the kernel in torch's order: out, in, rows, columns.
        order = {"Dense": (1, 0), "Conv2D": (3, 2, 0, 1), "DepthwiseConv2D": (2, 3, 0, 1)}[kind]
        own = {"weight": layer.kernel.value.permute(order)}
        if kind == "DepthwiseConv2D":  # channels x multiplier are all outputs, of one input each
            own["weight"] = own["weight"].flatten(0, 1).unsqueeze(1)
        if layer.use_bias:
            own["bias"] = draw.bias(layer.bias.value, convolution=kind != "Dense")
            layer.bias.assign(own["bias"])
        layers.append(Layer(layer.name, _as_map(own), x, 0.0))

    for layer in twin.layers:
        if type(layer).__name__ == "ZeroPadding2D":
            _wrap(layer, after=lambda x, y: padded.append((y, x)))
        elif layer.weights and type(layer).__name__ != "Normalization":
            _wrap(layer, before=partial(note, layer))
    with torch.no_grad():
        scores = twin(images.permute(0, 2, 3, 1))
    return Recording(layers[0].input, scores.flatten(1), layers)


def _wrap(
    layer: Any,
    before: Callable[[Tensor], object] = lambda x: None,
    after: Callable[[Tensor, Tensor], object] = lambda x, y: None,
) -> None:
    """Call back before and after a Keras layer: torch's hooks do not see its calls."""
    call = layer.call

    def watched(x: Tensor, **settings: Any) -> Tensor:
        before(x)
        y = call(x, **settings)
        after(x, y)
        return y

    layer.call = watched


# -- ours follows --------------------------------------------------------------------------------


def prove_equal(network: Network, twin: Recording) -> dict[str, str]:
    """Move the twin's weights into our module and compare the scores.

    Returns:
        For each of our layers, the twin's whose weights it took.

    Raises:
        AssertionError: the two differ; says from which layer on.
    """
    module = on_meta(network).double().to_empty(device="cpu")
    for tensor in module.state_dict().values():
        tensor.fill_(torch.nan if tensor.is_floating_point() else 0)  # what is not moved shows
    waiting = list(twin.layers)
    moved = {}

    def take(name: str, own: nn.Module, x: Tensor) -> None:
        shape = _as_map({"weight": own.get_parameter("weight")})["weight"].shape
        fitting = [layer for layer in waiting if layer.weights["weight"].shape == shape]
        found = next((layer for layer in fitting if _equal(layer.input, x)), None)
        assert found is not None, (
            f"{name} {tuple(shape)} reads a map of {tuple(x.shape)}, which no layer of the twin "
            f"does that has its shape and is left: {[layer.name for layer in fitting][:4]}"
        )
        waiting.remove(found)
        moved[name] = found.name
        _copy(found, own, name)

    with _watched(module, take), torch.no_grad():
        scores = module(twin.images)
    assert [layer.name for layer in waiting] == []
    assert scores.shape == twin.scores.shape
    assert _equal(scores, twin.scores)
    # Scores that are the same whatever the image would prove nothing.
    assert twin.scores.std(0).mean() > 1e-2 * twin.scores.abs().max()
    return moved


def _copy(layer: Layer, own: nn.Module, name: str) -> None:
    weights = dict(layer.weights)
    if isinstance(own, nn.BatchNorm2d):
        weights["running_var"] = weights["running_var"] + layer.eps - own.eps
    tensors = _tensors(own)
    for key in tensors.keys() - weights.keys():
        weights[key] = torch.zeros_like(tensors[key])  # a bias that the twin lacks
    for key, value in weights.items():
        if key in tensors:
            tensors[key].copy_(value.reshape(tensors[key].shape))
        else:
            assert not value.any(), f"{name} has no {key}, but {layer.name} of the twin has"


def _equal(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool((a - b).abs().max() <= ROUNDING * b.abs().max())


# -- both ----------------------------------------------------------------------------------------


@contextmanager
def _watched(model: nn.Module, see: Callable[[str, nn.Module, Tensor], None]) -> Iterator[None]:
    """Show each layer that holds weights, just before it runs, with what it reads as a map."""
    handles = []
    for name, module in model.named_modules():
        if not list(module.parameters(recurse=False)):
            continue
        assert isinstance(module, nn.Conv2d | nn.BatchNorm2d | nn.Linear), f"{name}: {module}"

        def hook(module: nn.Module, inputs: tuple[Tensor, ...], name: str = name) -> None:
            x = inputs[0].clone()  # an activation in place may overwrite it
            see(name, module, x if x.dim() == 4 else x[:, :, None, None])

        handles.append(module.register_forward_pre_hook(hook))
    yield
    for handle in handles:
        handle.remove()


def _tensors(module: nn.Module) -> Weights:
    """The tensors of a layer itself, to be written to."""
    found = {key: getattr(module, key, None) for key in _TENSORS}
    return {key: value for key, value in found.items() if value is not None}


def _as_map(weights: Weights) -> Weights:
    """A linear layer's weight as that of a 1x1 convolution."""
    weight = weights["weight"]
    return {**weights, "weight": weight[:, :, None, None] if weight.dim() == 2 else weight}
