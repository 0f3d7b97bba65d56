"""Training-free proxies: by hand on tiny networks, and on every kind of real one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dse.cost import cost
from dse.data import load_dataset
from dse.errors import InvalidValue, UnknownName
from dse.ir.activation import ACTIVATIONS
from dse.network import Network, read_network
from dse.presets import load_preset
from dse.runtime.proxies import COSTS, about_proxy, find_proxy, proxy_names
from dse.runtime.proxies.evaluate import Proxy
from dse.runtime.proxies.jacob_cov import score as jacob_cov
from dse.runtime.proxies.naswot import kernel, log_determinant
from dse.runtime.proxies.subject import Subject, weights_of
from dse.runtime.proxies.synflow import score as synflow
from dse.runtime.proxies.zico import score as zico

pytestmark = pytest.mark.usefixtures("one_thread")

SIDE = 48
"""The smallest image that all of these take."""

KINDS = {
    "squeezenet-1.1": "no batch normalisation",
    "googlenet": "parallel branches",
    "mobilenet-v2": "ReLU6, shortcuts",
    "mobilenet-v3-small": "hard swish, squeeze and excite, dropout",
    "efficientnet-b0": "SiLU, attention",
    "shufflenet-v1": "groups",
    "spp-covid-net": "leaky ReLU, pyramid pooling",
}


def on_digits(names: tuple[str, ...] = proxy_names(), **settings: Any) -> Proxy:
    return Proxy(names, **{"dataset": "digits", "image_size": SIDE, "batch": 8, **settings})


def preset(name: str) -> Network:
    return load_preset(name, input=f"3x{SIDE}x{SIDE}", classes=10)


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, float]]:
    return {name: on_digits().measure(preset(name)) for name in KINDS}


# -- the contract of every proxy -------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("proxy", proxy_names())
def test_every_proxy_is_finite_and_differs_between_designs(
    proxy: str, measured: dict[str, dict[str, float]]
) -> None:
    values = [row[proxy] for row in measured.values()]
    assert all(math.isfinite(value) for value in values)
    assert len(set(values)) == len(values)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["spp-covid-net", "mobilenet-v3-small"])
def test_a_proxy_depends_on_design_and_seed_alone(
    name: str, measured: dict[str, dict[str, float]]
) -> None:
    torch.manual_seed(12345)
    before = torch.get_rng_state()
    for proxy in proxy_names():
        assert on_digits((proxy,)).measure(preset(name)) == {proxy: measured[name][proxy]}
    assert torch.equal(torch.get_rng_state(), before)
    other = on_digits(seed=1).measure(preset(name))
    assert {proxy for proxy in other if other[proxy] == measured[name][proxy]} == set(COSTS)


@pytest.mark.parametrize("proxy", proxy_names())
def test_a_proxy_reads_images_exactly_if_it_says_so(proxy: str) -> None:
    network = preset("spp-covid-net")
    images, labels = torch.randn(2, 6, 3, SIDE, SIDE), torch.arange(6)
    first, second = (find_proxy(proxy)(Subject(network, batch, labels)) for batch in images)
    assert (first != second) == about_proxy(proxy).images


@pytest.mark.slow
def test_sizes_are_the_costs_of_the_design(measured: dict[str, dict[str, float]]) -> None:
    for name, row in measured.items():
        assert row["params"] == cost(preset(name)).params
        assert row["macs"] == cost(preset(name)).macs


def test_an_unknown_proxy() -> None:
    with pytest.raises(UnknownName, match="no proxy is called 'zicco'; did you mean 'zico'"):
        find_proxy("zicco")


# -- the evaluator ---------------------------------------------------------------------------------


def test_the_images_are_of_the_training_part_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Tensor] = []

    def keep(subject: Subject) -> float:
        seen.append(subject.images)
        return 0.0

    monkeypatch.setattr("dse.runtime.proxies.evaluate.find_proxy", lambda name: keep)
    proxy = on_digits(("zico",), image_size=8, batch=64)
    proxy.measure(preset("spp-covid-net"))
    data = load_dataset("digits", image_size=8)
    split = data.splits(0, None)
    train = data.images[split.train] / 255
    [batch] = seen
    assert batch.shape == (64, 3, 8, 8)
    pixels = (batch[:, 0].numpy() * train.std() + train.mean()) * 255
    known = {image.tobytes() for image in data.images[split.train]}
    assert {image.tobytes() for image in pixels.round().astype(np.uint8)} <= known


def test_a_proxy_that_reads_images_needs_a_data_set() -> None:
    with pytest.raises(InvalidValue, match="the proxy zico reads training images"):
        Proxy(("synflow", "zico"))
    found = Proxy(("synflow",)).measure(preset("spp-covid-net"))
    assert found == on_digits(("synflow",)).measure(preset("spp-covid-net"))


def test_provenance_names_proxy_data_and_seed() -> None:
    said = on_digits(("zico", "naswot"), seed=3).provenance()
    assert said["evaluator"] == "proxy:zico,naswot"
    assert said["dataset"] == "digits"
    assert said["dataset_digest"] == load_dataset("digits", image_size=SIDE).digest
    assert (said["seed"], said["batch"], said["image_size"]) == (3, 8, SIDE)
    assert Proxy(("synflow",)).provenance() == {"evaluator": "proxy:synflow", "seed": 0}


# -- by hand ---------------------------------------------------------------------------------------


class Rectified(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x).flatten(1)


def test_naswot_by_hand() -> None:
    images = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 0.0]]).view(3, 2, 1, 1)
    # Two units; the codes are 11, 10 and 00.
    agree = kernel(Rectified(), images)
    assert agree.tolist() == [[2, 1, 0], [1, 2, 1], [0, 1, 2]]
    # (3, 1, 0), (1, 3, 1), (0, 1, 3)
    assert log_determinant(agree) == pytest.approx(math.log(21))


@pytest.mark.parametrize("activation", [name for name in ACTIVATIONS if name != "none"])
def test_naswot_sees_every_rectifier_that_designs_have(activation: str) -> None:
    network = read_network(
        {
            "name": "one",
            "input": "1x8x8",
            "classes": 2,
            "nodes": [
                {"name": "conv", "conv": {"channels": 4, "activation": activation}},
                {"name": "attention", "squeeze_excite": {"hidden": 2}},
                {"name": "pool", "global_pool": {}},
                {"name": "classifier", "classifier": {}},
            ],
        }
    )
    images = torch.randn(3, 1, 8, 8)
    agree = kernel(Subject(network, images, torch.zeros(3)).module(), images)
    # The maps of the convolution, and the two hidden units of the attention, but not its gates.
    assert agree.diagonal().tolist() == [4 * 8 * 8 + 2] * 3


def test_jacob_cov_by_hand() -> None:
    k = 1e-5
    apart = torch.tensor([[1.0, -1, 0, 0], [0, 0, 2, -2]])
    assert jacob_cov(apart) == pytest.approx(-2 * (math.log(1 + k) + 1 / (1 + k)))
    alike = torch.tensor([[1.0, -1, 0, 0], [2, -2, 0, 0]])
    expected = -(math.log(2 + k) + 1 / (2 + k) + math.log(k) + 1 / k)
    assert jacob_cov(alike) == pytest.approx(expected, rel=1e-6)
    # Shift and scale of a row do not matter; a row without any gradient correlates with none.
    assert jacob_cov(3 * apart + 1) == pytest.approx(jacob_cov(apart))
    assert jacob_cov(torch.zeros(2, 4)) == pytest.approx(jacob_cov(apart))


def test_zico_by_hand() -> None:
    # Means of |g| are 2 and 2, deviations 1 and 2; the second layer never varies.
    layers = [torch.tensor([[1.0, 2.0], [3.0, -2.0]]), torch.tensor([[1.0], [1.0]])]
    assert zico(layers) == pytest.approx(math.log(2 / 1 + 2 / 2))


@pytest.fixture
def linear(monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
    """Three scores of two pixels, whose gradients can be written down."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(2, 3, bias=False))
    with torch.no_grad():
        model[1].weight.copy_(torch.tensor([[1.0, -2.0], [0.5, 0.0], [-1.0, 1.0]]))
    monkeypatch.setattr(Subject, "module", lambda self: model)
    images = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0], [2.0, 2.0]]).view(4, 2, 1, 1)
    return Subject(preset("spp-covid-net"), images, torch.tensor([0, 1, 2, 0]))


def slope(subject: Subject, part: slice) -> np.ndarray[Any, Any]:
    """Of the mean cross entropy by the weights: the mean over images of (p - y) x."""
    weight = weights_of(subject.module())[0].detach().numpy()
    x, labels = subject.images[part].flatten(1).numpy(), subject.labels[part].numpy()
    scores = np.exp(x @ weight.T)
    error = scores / scores.sum(axis=1, keepdims=True) - np.eye(3)[labels]
    found: np.ndarray[Any, Any] = error.T @ x / len(x)
    return found


def test_the_gradient_proxies_of_a_linear_network(linear: Subject) -> None:
    whole = slope(linear, slice(None))
    weight = weights_of(linear.module())[0].detach().numpy()
    assert find_proxy("grad_norm")(linear) == pytest.approx(np.sqrt((whole**2).sum()), rel=1e-5)
    assert find_proxy("snip")(linear) == pytest.approx(np.abs(weight * whole).sum(), rel=1e-5)
    a, b = slope(linear, slice(0, 2)), slope(linear, slice(2, 4))
    ratios = (np.abs(a) + np.abs(b)) / np.abs(a - b)
    assert find_proxy("zico")(linear) == pytest.approx(math.log(ratios.sum()), rel=1e-4)


class Clipped(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu6(x)


def two_layers(*between: nn.Module) -> nn.Module:
    torch.manual_seed(0)
    first, second = nn.Conv2d(2, 3, 1, bias=False), nn.Conv2d(3, 2, 1, bias=False)
    return nn.Sequential(first, *between, second, nn.Flatten())


def test_synflow_by_hand() -> None:
    model = two_layers()
    first, second = (layer.detach().abs().double().flatten(1) for layer in weights_of(model))
    flow = float((second @ first @ torch.ones(2, dtype=torch.float64)).sum())
    # Each of the two layers carries the whole flow.
    assert synflow(model, (2, 1, 1)) == pytest.approx(math.log(2 * flow))


def test_synflow_sees_weights_alone() -> None:
    plain = synflow(two_layers(), (2, 4, 4))
    assert synflow(two_layers(nn.BatchNorm2d(3)), (2, 4, 4)) == pytest.approx(plain)
    assert synflow(two_layers(nn.LocalResponseNorm(2)), (2, 4, 4)) == pytest.approx(plain)
    # However large the weights, nothing saturates, and a factor is a factor.
    wide = two_layers(Clipped())
    with torch.no_grad():
        weights_of(wide)[0].mul_(-1000)
    assert synflow(wide, (2, 4, 4)) == pytest.approx(plain + math.log(1000))
