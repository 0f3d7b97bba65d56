"""The script beside a model: images in, class probabilities out."""

from __future__ import annotations

from pathlib import Path

from dse.atomic import write_atomically
from dse.resources import resource_dir


def write_predictor(model: Path) -> Path:
    """Write ``predict.py`` beside an ONNX file of ours, which it reads if not told another.

    It needs onnxruntime, numpy and pillow alone, and prepares images as trainings do.
    """
    import jinja2

    template = (resource_dir("templates") / "predict" / "predict.py.j2").read_text("utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    path = model.with_name("predict.py")
    write_atomically(path, environment.from_string(template).render(model=model.name))
    return path
