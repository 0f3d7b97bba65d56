"""Ways to shrink a map, other than a block's own stride."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from dse.blocks.base import Activation, Block, Count, Padding, PoolKind
from dse.ir import Tape, Value


class Pool(Block):
    """Max or average pooling; ``kernel: 3, stride: 2`` overlaps."""

    kind: ClassVar[str] = "pool"

    mode: PoolKind = "max"
    kernel: Count = 2
    stride: Count = 2
    padding: Padding = 0
    ceil_mode: bool = False

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.pool(self.mode, x, self.kernel, self.stride, self.padding, self.ceil_mode)


class StridedConv(Block):
    """A strided convolution in place of pooling; keeps the number of channels."""

    kind: ClassVar[str] = "strided_conv"

    kernel: Count = 3
    stride: Count = 2
    activation: Activation = "relu"

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.conv_norm_act(
            "conv", x, x.channels, self.kernel, self.stride, activation=self.activation
        )


class BlurPool(Block):
    """Subsampling after a fixed 3x3 binomial blur, so that small shifts of the image matter less.

    Source: Zhang, Making Convolutional Networks Shift-Invariant Again, ICML 2019.
    """

    kind: ClassVar[str] = "blur_pool"

    stride: Count = 2

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.blur_pool("", x, self.stride)


class FractionalPool(Block):
    """Fractional max pooling: regions drawn at random in training, fixed in evaluation.

    Enhanced Hybrid MobileNet writes its ratio as 1.4; its sizes 32, 22, 15, 10, 6, 4, 2, 1 are
    those of 1.44, which is TensorFlow's example ratio. Source: Graham, Fractional Max-Pooling,
    arXiv:1412.6071.
    """

    kind: ClassVar[str] = "fractional_pool"

    ratio: Annotated[float, Field(gt=1, le=2)] = 1.44
    overlap: bool = True

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.fractional_max_pool("", x, self.ratio, self.overlap)


class AdaptivePool(Block):
    """Average or maximum over a grid of regions, so that a map of any size leaves with one size.

    A map that has the size already passes unchanged. Source: VGG as torchvision has it, whose
    linear layers thus take images of any size.
    """

    kind: ClassVar[str] = "adaptive_pool"

    size: Count = 7
    mode: PoolKind = "average"

    def lower(self, t: Tape, x: Value, /) -> Value:
        fits = x.is_map and x.shape.height == x.shape.width == self.size
        return x if fits else t.adaptive_pool(self.mode, x, self.size)


class LocalNorm(Block):
    """Local response normalisation: each channel divided by the energy of its neighbours.

    Source: Krizhevsky et al., NeurIPS 2012, section 3.3, as GoogLeNet has it.
    """

    kind: ClassVar[str] = "local_norm"

    size: Count = 5

    def lower(self, t: Tape, x: Value, /) -> Value:
        return t.local_response_norm(x, self.size)


class Identity(Block):
    """Nothing: the value passes through.

    Serves as the empty choice and as a named point of a space.
    """

    kind: ClassVar[str] = "identity"

    def lower(self, t: Tape, x: Value, /) -> Value:
        return x
