"""Pooling: over windows, over grids of regions, over the whole map, and after a blur."""

from __future__ import annotations

import numpy as np

from dse.ir import ops
from dse.ir.ops.pooling import Regions, as_windows
from dse.runtime.onnx.graph import Graph
from dse.runtime.onnx.table import Place, writes

_AXES_ARE_AN_INPUT = 18
"""The opset from which ReduceMax is told its axes by an input, before by an attribute."""


@writes(ops.Pool)
def pool(graph: Graph, op: ops.Pool, at: Place) -> str:
    out = op.shape(at.shapes[0])
    # ONNX has a ceil_mode, but older runtimes disagree with torch on the last window. Padding at
    # the end, which neither max nor average counts, gives torch's number of windows without it.
    ends = [
        max(op.padding, (windows - 1) * op.stride + op.kernel - size - op.padding)
        for windows, size in zip(out[1:], at.shapes[0][1:], strict=True)
    ]
    counting = {"count_include_pad": 1} if op.mode == "average" and op.count_padding else {}
    return graph.node(
        {"max": "MaxPool", "average": "AveragePool"}[op.mode],
        f"{at.name}/{op.mode}_pool",
        at.x,
        kernel_shape=[op.kernel, op.kernel],
        strides=[op.stride, op.stride],
        pads=[op.padding, op.padding, *ends],
        **counting,
    )


@writes(ops.AdaptivePool)
def adaptive_pool(graph: Graph, op: ops.AdaptivePool, at: Place) -> str:
    rows, columns = (op.regions(size) for size in at.shapes[0][1:])
    path = f"{at.path}.adaptive_{op.mode}_pool"
    return (_max_over if op.mode == "max" else _average_over)(graph, at, path, rows, columns)


@writes(ops.FractionalMaxPool)
def fractional_max_pool(graph: Graph, op: ops.FractionalMaxPool, at: Place) -> str:
    rows, columns = (op.regions(size) for size in at.shapes[0][1:])
    return _max_over(graph, at, at.path, rows, columns)


@writes(ops.BlurPool)
def blur_pool(graph: Graph, op: ops.BlurPool, at: Place) -> str:
    channels = at.shapes[0].channels
    row = np.array([1, 2, 1], np.float32) / 4
    kernel = np.broadcast_to(np.outer(row, row), (channels, 1, 3, 3))
    border = graph.constant("blur/pads", np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64))
    x = graph.node("Pad", f"{at.name}/pad", at.x, border, mode="reflect")
    return graph.node(
        "Conv",
        at.name,
        x,
        graph.constant(f"blur/kernel_{channels}", kernel),
        kernel_shape=[3, 3],
        strides=[op.stride, op.stride],
        group=channels,
    )


@writes(ops.GlobalPool)
def global_pool(graph: Graph, op: ops.GlobalPool, at: Place) -> str:
    kind = {"max": "GlobalMaxPool", "average": "GlobalAveragePool"}[op.mode]
    y = graph.node(kind, f"{at.name}/global_{op.mode}_pool", at.x)
    return y if op.keep_map else graph.node("Flatten", f"{at.name}/flatten", y, axis=1)


def _max_over(graph: Graph, at: Place, path: str, rows: Regions, columns: Regions) -> str:
    """The maximum of each region of a grid.

    Regions of one size and spacing are the windows of a max pool. Of others the rows are gathered
    region by region, short ones repeating their last row, and reduced; then the columns.
    """
    name = "/" + path.replace(".", "/")
    windows = [as_windows(regions) for regions in (rows, columns)]
    if windows[0] and windows[1]:
        sizes, strides = zip(windows[0], windows[1], strict=True)
        return graph.node("MaxPool", name, at.x, kernel_shape=list(sizes), strides=list(strides))
    y = at.x
    for axis, word, regions in ((2, "rows", rows), (3, "columns", columns)):
        longest = max(end - start for start, end in regions)
        index = [[min(start + i, end - 1) for i in range(longest)] for start, end in regions]
        positions = graph.constant(f"{path}.{word}", np.array(index, np.int64))
        y = graph.node("Gather", f"{name}/{word}", y, positions, axis=axis)
        last = name if axis == 3 else f"{name}/max_of_{word}"
        if graph.opset < _AXES_ARE_AN_INPUT:
            y = graph.node("ReduceMax", last, y, axes=[axis + 1], keepdims=0)
        else:
            axes = graph.constant(f"axes/{axis + 1}", np.array([axis + 1], np.int64))
            y = graph.node("ReduceMax", last, y, axes, keepdims=0)
    return y


def _average_over(graph: Graph, at: Place, path: str, rows: Regions, columns: Regions) -> str:
    """The average of each region of a grid: windows where they are equal, otherwise one matrix
    product for the rows and one for the columns.
    """
    name = "/" + path.replace(".", "/")
    windows = [as_windows(regions) for regions in (rows, columns)]
    if windows[0] and windows[1]:
        sizes, strides = zip(windows[0], windows[1], strict=True)
        kernel = {"kernel_shape": list(sizes), "strides": list(strides)}
        return graph.node("AveragePool", name, at.x, **kernel)

    def shares(regions: Regions, size: int) -> np.ndarray:
        matrix = np.zeros((len(regions), size), np.float32)
        for row, (start, end) in zip(matrix, regions, strict=True):
            row[start:end] = 1 / (end - start)
        return matrix

    _, height, width = at.shapes[0]
    by_rows = graph.constant(f"{path}.rows", shares(rows, height))
    by_columns = graph.constant(f"{path}.columns", shares(columns, width).T.copy())
    y = graph.node("MatMul", f"{name}/rows", by_rows, at.x)
    return graph.node("MatMul", name, y, by_columns)
