"""The inverted residual: a bottleneck turned inside out."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Activation, Block, Count, OptionalAttention, Width
from dse.ir import Tape, Value


class InvertedResidual(Block):
    """Expand, filter depthwise, project back linearly, add to the input.

    There is a shortcut where shapes allow one. `attention` re-weights the expanded channels, as in
    MobileNetV3 and EfficientNet, whose MBConv this is. The expanded width is `hidden`, or the
    input's channels times `expansion`. Where that is no wider than the input there is nothing to
    expand, unless `always_expand` asks for the convolution all the same.

    Source: Sandler et al., MobileNetV2, CVPR 2018, Table 1; Howard et al., Searching for
    MobileNetV3, ICCV 2019, Figure 4.
    """

    kind: ClassVar[str] = "inverted"

    channels: Width
    stride: Count = 1
    expansion: Count = 6
    hidden: Width | None = None
    always_expand: bool = False
    kernel: Count = 3
    activation: Activation = "relu6"
    attention: OptionalAttention = None

    def lower(self, t: Tape, x: Value, /) -> Value:
        keeps_shape = self.stride == 1 and x.channels == self.channels
        channels = x.channels if keeps_shape else self.channels
        hidden = x.channels * self.expansion if self.hidden is None else self.hidden
        expands = hidden != x.channels or self.always_expand
        y = x
        if expands:
            hidden = t.let("hidden", hidden)
            y = t.conv_norm_act("expand", y, hidden, activation=self.activation)
        else:
            hidden = x.channels
        y = t.conv_norm_act(
            "depthwise",
            y,
            hidden,
            self.kernel,
            self.stride,
            groups=hidden,
            activation=self.activation,
        )
        if self.attention is not None:
            y = t.call("attention", self.attention, y)
        y = t.conv_norm_act("project", y, channels)
        t.rename(*_TITLES[expands, keeps_shape])
        return t.add(x, y) if keeps_shape else y


_TITLES = {
    (True, True): (
        "InvertedResidual",
        "Expand, filter depthwise, project back linearly, add to the input.",
    ),
    (True, False): (
        "LinearBottleneck",
        "Expand, filter depthwise, project linearly; no shortcut.",
    ),
    (False, True): (
        "SeparableResidual",
        "Filter depthwise, project linearly, add to the input; nothing to expand.",
    ),
    (False, False): (
        "SeparableBottleneck",
        "Filter depthwise, project linearly; nothing to expand, no shortcut.",
    ),
}
"""Class and description by whether there is an expansion, and whether there is a shortcut."""
