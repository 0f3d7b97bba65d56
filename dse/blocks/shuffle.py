"""ShuffleNet's unit."""

from __future__ import annotations

from typing import ClassVar

from dse.blocks.base import Block, Count, Width
from dse.ir import Tape, Value


class ShuffleUnit(Block):
    """Grouped 1x1 convolutions with a channel shuffle between them, added to the input.

    The hidden width is a quarter of `channels`. With a stride the input, averaged, is concatenated
    instead of added, so that the convolutions make only the channels that are missing; where the
    output is no wider than the input there is no shortcut. With ``group_reduce: false`` the first
    convolution is ungrouped, as in the first unit of ShuffleNet, whose input is narrow.

    Source: Zhang et al., ShuffleNet, CVPR 2018, Figure 2 and Table 1.
    """

    kind: ClassVar[str] = "shuffle"

    channels: Width
    stride: Count = 1
    groups: Count = 1
    group_reduce: bool = True

    def lower(self, t: Tape, x: Value, /) -> Value:
        adds = self.stride == 1 and x.channels == self.channels
        joins = self.stride == 2 and x.channels < self.channels
        channels = x.channels if adds else self.channels
        hidden = t.let("hidden", channels // 4 if channels >= 4 else 1)
        groups = self.groups if self.group_reduce else 1
        y = t.conv_norm_act("reduce", x, hidden, groups=groups, activation="relu")
        y = t.channel_shuffle(y, self.groups)
        y = t.conv_norm_act("depthwise", y, hidden, 3, self.stride, groups=hidden)
        t.rename(*_TITLES[adds, joins, self.group_reduce or self.groups == 1])
        if not joins:
            y = t.conv_norm_act("expand", y, channels, groups=self.groups)
            return t.relu(t.add(x, y) if adds else y)
        y = t.conv_norm_act("expand", y, channels - x.channels, groups=self.groups)
        pooled = t.pool("average", x, 3, self.stride, 1, count_padding=True)
        return t.relu(t.cat(y, pooled))


def _titles() -> dict[tuple[bool, bool, bool], tuple[str, str]]:
    """Class and description by: adds its input, joins it, groups the first convolution."""
    shortcuts = {
        (True, False): ("ShuffleUnit", "added to the input"),
        (False, True): ("ShuffleDown", "beside the pooled input"),
        (False, False): ("ShuffleBottleneck", "without a shortcut"),
    }
    return {
        (*key, grouped): (
            title if grouped else f"{title}First",
            f"A channel shuffle between {'grouped ' if grouped else ''}1x1 convolutions, {how}.",
        )
        for key, (title, how) in shortcuts.items()
        for grouped in (True, False)
    }


_TITLES = _titles()
