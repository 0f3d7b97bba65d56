"""The presets' networks as other people wrote them, without pretrained weights.

Each function here returns what makes a module for the images and classes of a network of ours.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from torch import nn

from dse.network import Network

Maker = Callable[[Network], Any]


def pytorchcv(name: str, adapt: Callable[[Any, Network], None] | None = None) -> Maker:
    """A model of pytorchcv; `adapt` exchanges parts that the package builds in another size."""

    def make(network: Network) -> nn.Module:
        from pytorchcv.model_provider import get_model

        model = get_model(name, num_classes=network.classes)
        # The last pool is written for 224x224; here it is global for images of any size.
        for part in (model.features, model.output):
            if hasattr(part, "final_pool"):
                part.final_pool = nn.AdaptiveAvgPool2d(1)
        if adapt is not None:
            adapt(model, network)
        return model

    return make


def shufflenet_grouped_first(name: str, groups: int, channels: int) -> Maker:
    """pytorchcv's ShuffleNet with the very first 1x1 convolution grouped too."""

    def group_first(model: Any, network: Network) -> None:
        from pytorchcv.models.shufflenet import ShuffleUnit

        model.features.stage1.unit1 = ShuffleUnit(24, channels, groups, True, ignore_group=False)

    return pytorchcv(name, group_first)


def mobilenet_v3_ending(
    name: str, last: int, wide: int, features: int, *, attention: bool = False
) -> Maker:
    """pytorchcv's MobileNet V3 with another end: last block, expanded width, features."""

    def end(model: Any, network: Network) -> None:
        from pytorchcv.models.mobilenetv3 import MobileNetV3Classifier, MobileNetV3FinalBlock

        model.features.final_block = MobileNetV3FinalBlock(last, wide, attention)
        model.output = MobileNetV3Classifier(wide, network.classes, features, 0.2)

    return pytorchcv(name, end)


def lorna(package: str, name: str, **settings: Any) -> Maker:
    """A model of the packages googlenet_pytorch, resnet_pytorch, densenet_pytorch, vgg_pytorch,
    whose modules are named as torchvision's.
    """
    classes = {
        "googlenet_pytorch": "GoogLeNet",
        "resnet_pytorch": "ResNet",
        "densenet_pytorch": "DenseNet",
        "vgg_pytorch": "VGG",
    }

    def make(network: Network) -> nn.Module:
        model: nn.Module = getattr(import_module(package), classes[package]).from_name(
            name, {"num_classes": network.classes, **settings}
        )
        return model

    return make


def googlenet_of_the_paper(network: Network) -> nn.Module:
    """googlenet_pytorch's network with what the paper has otherwise: biases in place of batch
    normalisation, 5x5 convolutions, response normalisation after the first pool and the third
    convolution, and an overlapping last pool.
    """
    model = lorna("googlenet_pytorch", "googlenet", transform_input=False, aux_logits=False)(
        network
    )
    for module in list(model.modules()):
        if type(module).__name__ == "BasicConv2d":
            old, module.bn = module.conv, nn.Identity()
            module.conv = nn.Conv2d(
                old.in_channels, old.out_channels, old.kernel_size, old.stride, old.padding
            )
        if type(module).__name__ == "Inception":
            old = module.branch3[1].conv
            module.branch3[1].conv = nn.Conv2d(old.in_channels, old.out_channels, 5, padding=2)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    response = nn.LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=1.0)
    model.maxpool1 = nn.Sequential(model.maxpool1, response)
    model.conv3 = nn.Sequential(model.conv3, response)
    model.maxpool4 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
    return model


def keras(name: str, **settings: Any) -> Maker:
    """A model of keras.applications, computed by torch.

    It pads a strided convolution on one side where a map has an even size, so its images need an
    odd one that stays odd.
    """

    def make(network: Network) -> Any:
        channels, height, width = network.input
        return getattr(_keras().applications, name)(
            weights=None,
            input_shape=(height, width, channels),
            classes=network.classes,
            classifier_activation=None,
            **settings,
        )

    return make


@cache
def _keras() -> Any:
    """Keras over torch, in double precision on the CPU."""
    os.environ |= {"KERAS_BACKEND": "torch", "KERAS_TORCH_DEVICE": "cpu"}
    with tempfile.TemporaryDirectory() as home:  # else it writes its settings to the user's home
        os.environ["KERAS_HOME"] = home
        import keras as package
    package.config.set_floatx("float64")
    # Where types meet, it rounds to single precision on every backend but TensorFlow's.
    from keras.src.backend.common.dtypes import BIT64_TO_BIT32_DTYPE

    BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    return package
