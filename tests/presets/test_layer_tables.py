"""Presets that nobody else has published, against tables of their layers worked out by hand.

A row is what is computed, its output, its trainable weights (with those of the batch normalisation
that follows it) and its activation. The sizes follow from the papers: SPP-COVID-Net's Table I,
Enhanced Hybrid MobileNet's Tables 1 to 3, Res-SqueezeNet's Figure 9, HL-CNN's text.
"""

from __future__ import annotations

from typing import Any

import pytest

from dse.cost import cost
from dse.ir import Step, Value, ops
from dse.presets import load_preset

TRUNK = """
conv 3x3         8x256x256   216+16       leaky_relu(0.1)
max 2x2/2        8x128x128   0            -
conv 3x3         16x128x128  1152+32      leaky_relu(0.1)
max 2x2/2        16x64x64    0            -
conv 3x3         32x64x64    4608+64      leaky_relu(0.1)
conv 1x1         16x64x64    512+32       leaky_relu(0.1)
conv 3x3         32x64x64    4608+64      leaky_relu(0.1)
max 2x2/2        32x32x32    0            -
conv 3x3         64x32x32    18432+128    leaky_relu(0.1)
conv 1x1         32x32x32    2048+64      leaky_relu(0.1)
conv 3x3         64x32x32    18432+128    leaky_relu(0.1)
max 2x2/2        64x16x16    0            -
conv 3x3         128x16x16   73728+256    leaky_relu(0.1)
conv 1x1         64x16x16    8192+128     leaky_relu(0.1)
conv 3x3         128x16x16   73728+256    leaky_relu(0.1)
max 2x2/2        128x8x8     0            -
conv 3x3         256x8x8     294912+512   leaky_relu(0.1)
conv 1x1         128x8x8     32768+256    leaky_relu(0.1)
conv 3x3         256x8x8     294912+512   leaky_relu(0.1)
"""

SPP_COVID_NET = f"""{TRUNK}
max 7x7/1        256x2x2     0            -
max 6x6/1        256x3x3     0            -
max 4x4/1        256x5x5     0            -
join             9728        0            -
linear           3           29187        -
"""

DARKCOVIDNET = f"""{TRUNK}
conv 1x1         128x8x8     32768+256    leaky_relu(0.1)
conv 3x3         256x8x8     294912+512   leaky_relu(0.1)
conv 3x3         2x8x8       4608+4       leaky_relu(0.1)
linear           3           387          -
"""

RES_SQUEEZENET = """
conv 3x3/2       64x113x113  1792         relu
max 3x3/2        64x56x56    0            -
conv 1x1         16x56x56    1040         relu
conv 1x1         64x56x56    1088         relu
conv 3x3         64x56x56    9280         relu
join             128x56x56   0            -
conv 1x1         16x56x56    2064         relu
conv 1x1         64x56x56    1088         relu
conv 3x3         64x56x56    9280         relu
join             128x56x56   0            -
max 3x3/2        128x28x28   0            -
conv 1x1         32x28x28    4128         relu
conv 1x1         128x28x28   4224         relu
conv 3x3         128x28x28   36992        relu
join             256x28x28   0            -
conv 1x1         32x28x28    8224         relu
conv 1x1         128x28x28   4224         relu
conv 3x3         128x28x28   36992        relu
join             256x28x28   0            -
max 3x3/2        256x14x14   0            -
conv 1x1         48x14x14    12336        relu
conv 1x1         192x14x14   9408         relu
conv 3x3         192x14x14   83136        relu
join             384x14x14   0            -
conv 1x1         48x14x14    18480        relu
conv 1x1         192x14x14   9408         relu
conv 3x3         192x14x14   83136        relu
join             384x14x14   0            -
conv 1x1         64x14x14    24640        relu
conv 1x1         256x14x14   16640        relu
conv 3x3         256x14x14   147712       relu
join             512x14x14   0            -
conv 1x1         64x14x14    32832        relu
conv 1x1         256x14x14   16640        relu
conv 3x3         256x14x14   147712       relu
join             512x14x14   0            -
conv 3x3/2       512x7x7     2359296+1024 relu
conv 3x3         512x7x7     2359296+1024 -
conv 1x1/2       512x7x7     262144+1024  -
plus             512x7x7     0            relu
conv 3x3         512x7x7     2359296+1024 relu
conv 3x3         512x7x7     2359296+1024 -
plus             512x7x7     0            relu
conv 1x1         9x7x7       4617         relu
average          9           0            -
"""

HYBRID_STRIDE = """
conv 3x3/2       32x16x16    864+64       relu
depthwise 3x3    64x16x16    576+128      relu
conv 1x1         64x16x16    4096+128     relu
depthwise 3x3/2  128x8x8     1152+256     relu
conv 1x1         128x8x8     16384+256    relu
depthwise 3x3    256x8x8     2304+512     relu
conv 1x1         128x8x8     32768+256    relu
depthwise 3x3/2  256x4x4     2304+512     relu
conv 1x1         256x4x4     65536+512    relu
depthwise 3x3    512x4x4     4608+1024    relu
conv 1x1         256x4x4     131072+512   relu
depthwise 3x3/2  512x2x2     4608+1024    relu
conv 1x1         512x2x2     262144+1024  relu
depthwise 3x3    1024x2x2    9216+2048    relu
conv 1x1         512x2x2     524288+1024  relu
depthwise 3x3    1024x2x2    9216+2048    relu
conv 1x1         512x2x2     524288+1024  relu
depthwise 3x3    1024x2x2    9216+2048    relu
conv 1x1         512x2x2     524288+1024  relu
depthwise 3x3    1024x2x2    9216+2048    relu
conv 1x1         512x2x2     524288+1024  relu
depthwise 3x3    1024x2x2    9216+2048    relu
conv 1x1         512x2x2     524288+1024  relu
depthwise 3x3/2  1024x1x1    9216+2048    relu
conv 1x1         1024x1x1    1048576+2048 relu
depthwise 3x3    2048x1x1    18432+4096   relu
conv 1x1         1024x1x1    2097152+2048 relu
average          1024        0            -
linear           10          10250        -
"""

# Half of the widths, one filter per channel.
HYBRID_MAXPOOL = """
conv 3x3         16x32x32    432+32       relu
max 3x3/2        16x16x16    0            -
depthwise 3x3    16x16x16    144+32       relu
conv 1x1         32x16x16    512+64       relu
max 3x3/2        32x8x8      0            -
depthwise 3x3    32x8x8      288+64       relu
conv 1x1         64x8x8      2048+128     relu
depthwise 3x3    64x8x8      576+128      relu
conv 1x1         64x8x8      4096+128     relu
max 3x3/2        64x4x4      0            -
depthwise 3x3    64x4x4      576+128      relu
conv 1x1         128x4x4     8192+256     relu
depthwise 3x3    128x4x4     1152+256     relu
conv 1x1         128x4x4     16384+256    relu
max 3x3/2        128x2x2     0            -
depthwise 3x3    128x2x2     1152+256     relu
conv 1x1         256x2x2     32768+512    relu
depthwise 3x3    256x2x2     2304+512     relu
conv 1x1         256x2x2     65536+512    relu
depthwise 3x3    256x2x2     2304+512     relu
conv 1x1         256x2x2     65536+512    relu
depthwise 3x3    256x2x2     2304+512     relu
conv 1x1         256x2x2     65536+512    relu
depthwise 3x3    256x2x2     2304+512     relu
conv 1x1         256x2x2     65536+512    relu
depthwise 3x3    256x2x2     2304+512     relu
conv 1x1         256x2x2     65536+512    relu
max 3x3/2        256x1x1     0            -
depthwise 3x3    256x1x1     2304+512     relu
conv 1x1         512x1x1     131072+1024  relu
depthwise 3x3    512x1x1     4608+1024    relu
conv 1x1         512x1x1     262144+1024  relu
average          512         0            -
linear           10          5130         -
"""

# A quarter of the widths, four filters per channel.
HYBRID_FRACTIONAL = """
conv 3x3         8x32x32     216+16       relu
fractional       8x22x22     0            -
depthwise 3x3    32x22x22    288+64       relu
conv 1x1         16x22x22    512+32       relu
depthwise 3x3    64x22x22    576+128      relu
conv 1x1         32x22x22    2048+64      relu
fractional       32x15x15    0            -
depthwise 3x3    128x15x15   1152+256     relu
conv 1x1         32x15x15    4096+64      relu
depthwise 3x3    128x15x15   1152+256     relu
conv 1x1         64x15x15    8192+128     relu
fractional       64x10x10    0            -
depthwise 3x3    256x10x10   2304+512     relu
conv 1x1         64x10x10    16384+128    relu
depthwise 3x3    256x10x10   2304+512     relu
conv 1x1         128x10x10   32768+256    relu
fractional       128x6x6     0            -
depthwise 3x3    512x6x6     4608+1024    relu
conv 1x1         128x6x6     65536+256    relu
depthwise 3x3    512x6x6     4608+1024    relu
conv 1x1         128x6x6     65536+256    relu
fractional       128x4x4     0            -
depthwise 3x3    512x4x4     4608+1024    relu
conv 1x1         128x4x4     65536+256    relu
depthwise 3x3    512x4x4     4608+1024    relu
conv 1x1         128x4x4     65536+256    relu
fractional       128x2x2     0            -
depthwise 3x3    512x2x2     4608+1024    relu
conv 1x1         128x2x2     65536+256    relu
depthwise 3x3    512x2x2     4608+1024    relu
conv 1x1         256x2x2     131072+512   relu
fractional       256x1x1     0            -
depthwise 3x3    1024x1x1    9216+2048    relu
conv 1x1         256x1x1     262144+512   relu
average          256         0            -
linear           10          2570         -
"""

HL_CNN = """
conv 3x3/2       32x112x112  864+64       relu
depthwise 3x3    32x112x112  288+64       relu
conv 1x1         64x112x112  2048+128     relu
depthwise 3x3/2  64x56x56    576+128      relu
conv 1x1         64x56x56    4096+128     relu
conv 1x1         256x56x56   16384+512    relu6
depthwise 3x3/2  256x28x28   2304+512     relu6
average          256x1x1     0            -
conv 1x1         64x1x1      16448        relu
conv 1x1         256x1x1     16640        sigmoid
times            256x28x28   0            -
conv 1x1         64x28x28    16384+128    -
conv 1x1         256x28x28   16384+512    relu6
depthwise 3x3    256x28x28   2304+512     relu6
average          256x1x1     0            -
conv 1x1         64x1x1      16448        relu
conv 1x1         256x1x1     16640        sigmoid
times            256x28x28   0            -
conv 1x1         64x28x28    16384+128    -
plus             64x28x28    0            -
conv 1x1         256x28x28   16384+512    relu6
depthwise 3x3/2  256x14x14   2304+512     relu6
average          256x1x1     0            -
conv 1x1         64x1x1      16448        relu
conv 1x1         256x1x1     16640        sigmoid
times            256x14x14   0            -
conv 1x1         128x14x14   32768+256    -
conv 1x1         512x14x14   65536+1024   relu6
depthwise 3x3    512x14x14   4608+1024    relu6
average          512x1x1     0            -
conv 1x1         128x1x1     65664        relu
conv 1x1         512x1x1     66048        sigmoid
times            512x14x14   0            -
conv 1x1         128x14x14   65536+256    -
plus             128x14x14   0            -
conv 1x1         512x14x14   65536+1024   relu6
depthwise 3x3    512x14x14   4608+1024    relu6
average          512x1x1     0            -
conv 1x1         128x1x1     65664        relu
conv 1x1         512x1x1     66048        sigmoid
times            512x14x14   0            -
conv 1x1         128x14x14   65536+256    -
plus             128x14x14   0            -
conv 1x1         512x14x14   65536+1024   relu6
depthwise 3x3    512x14x14   4608+1024    relu6
average          512x1x1     0            -
conv 1x1         128x1x1     65664        relu
conv 1x1         512x1x1     66048        sigmoid
times            512x14x14   0            -
conv 1x1         128x14x14   65536+256    -
plus             128x14x14   0            -
depthwise 3x3/2  128x7x7     1152+256     relu
conv 1x1         256x7x7     32768+512    relu
conv 1x1         512x14x14   65536+1024   relu6
depthwise 3x3/2  512x7x7     4608+1024    relu6
average          512x1x1     0            -
conv 1x1         128x1x1     65664        relu
conv 1x1         512x1x1     66048        sigmoid
times            512x7x7     0            -
conv 1x1         256x7x7     131072+512   -
conv 1x1         1024x7x7    262144+2048  relu6
depthwise 3x3    1024x7x7    9216+2048    relu6
average          1024x1x1    0            -
conv 1x1         256x1x1     262400       relu
conv 1x1         1024x1x1    263168       sigmoid
times            1024x7x7    0            -
conv 1x1         256x7x7     262144+512   -
plus             256x7x7     0            -
scalar           scalar      1            -
scalar           scalar      1            -
times            256x7x7     0            -
times            256x7x7     0            -
plus             256x7x7     0            -
conv 1x1         1024x7x7    262144+2048  relu
average          1024        0            -
linear           1000        1025000      -
"""

Case = tuple[dict[str, Any], str]

TABLES: dict[str, list[Case]] = {
    "spp-covid-net": [({}, SPP_COVID_NET)],
    "darkcovidnet": [({}, DARKCOVIDNET)],
    "res-squeezenet": [({}, RES_SQUEEZENET)],
    "hybrid-mobilenet": [
        ({"delta": 2, "downsample": "stride"}, HYBRID_STRIDE),
        ({"alpha": 0.5, "delta": 1, "downsample": "maxpool3"}, HYBRID_MAXPOOL),
        ({"alpha": 0.25, "delta": 4, "downsample": "fractional"}, HYBRID_FRACTIONAL),
    ],
    "hl-cnn": [({}, HL_CNN)],
}

CASES = [(preset, *case) for preset, cases in TABLES.items() for case in cases]
each_table = pytest.mark.parametrize(("preset", "arguments", "text"), CASES)

Row = tuple[str, str, str, str]


def rows_of(text: str) -> list[Row]:
    rows = [line.rsplit(maxsplit=3) for line in text.splitlines() if line]
    return [(what, output, weights, activation) for what, output, weights, activation in rows]


def lowered_rows(preset: str, arguments: dict[str, Any]) -> list[Row]:
    """The table of a preset's program: each op with the normalisation and activation after it."""
    rows: list[Row] = []
    last: Value | None = None
    for step in load_preset(preset, **arguments).lower().steps():
        match step.op:
            case ops.Dropout() | ops.Flatten():
                continue
            case ops.BatchNorm() | ops.Act():
                assert step.inputs[0] is last, "stands by itself"
                what, output, weights, activation = rows.pop()
                if isinstance(step.op, ops.BatchNorm):
                    weights += f"+{step.op.params(step.inputs[0].shape)}"
                else:
                    slope = "" if step.op.slope is None else f"({step.op.slope:g})"
                    activation = f"{step.op.function}{slope}"
                rows.append((what, output, weights, activation))
            case op:
                weights = str(op.params(*(value.shape for value in step.inputs)))
                rows.append((described(step), str(step.output.shape), weights, "-"))
        last = step.output
    return rows


def described(step: Step) -> str:
    match step.op:
        case ops.Conv(kernel=kernel, stride=stride, groups=groups):
            assert groups in (1, step.inputs[0].channels)
            size = f"{kernel}x{kernel}" + (f"/{stride}" if stride > 1 else "")
            return f"conv {size}" if groups == 1 else f"depthwise {size}"
        case ops.Pool(mode=mode, kernel=kernel, stride=stride):
            return f"{mode} {kernel}x{kernel}/{stride}"
        case ops.GlobalPool(mode=mode):
            return mode
        case op:
            names = {
                "FractionalMaxPool": "fractional",
                "Linear": "linear",
                "Parameter": "scalar",
                "Cat": "join",
                "Add": "plus",
                "Mul": "times",
            }
            return names[type(op).__name__]


@each_table
def test_a_preset_has_the_layers_of_its_table(
    preset: str, arguments: dict[str, Any], text: str
) -> None:
    assert lowered_rows(preset, arguments) == rows_of(text)


@each_table
def test_a_table_adds_up_to_the_cost(preset: str, arguments: dict[str, Any], text: str) -> None:
    weights = [int(part) for row in rows_of(text) for part in row[2].split("+")]
    assert cost(load_preset(preset, **arguments)).params == sum(weights)


def test_the_fusion_of_hl_cnn_reads_two_depths() -> None:
    """Which a list of layers does not show."""
    nodes = load_preset("hl-cnn").nodes
    named = {node.name: node.inputs for node in nodes if node.inputs}
    before = {node.name: nodes[i - 1].name for i, node in enumerate(nodes) if i}
    forks = {name: inputs for name, inputs in named.items() if inputs != (before[name],)}
    assert forks == {"stage3.0": ("stage2.3",), "fusion": ("local", "stage3.1")}
