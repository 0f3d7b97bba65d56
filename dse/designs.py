"""What a NAME on the command line means: a preset, a JSON file, or ``RUN#TRIAL``."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dse.errors import DataError, InvalidDesign, InvalidValue, UnknownName
from dse.ir import Shape
from dse.network import Network, parse_network
from dse.presets import load_preset, preset_function, preset_names, too_small
from dse.runs import Run, open_run
from dse.space import Space, load_space, parse_space, space_names


def find_design(
    name: str,
    *,
    classes: int | None = None,
    input: str | None = None,
    image_size: int | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Network:
    """The network that `name` stands for.

    Args:
        name: a preset, the path of a JSON design, or ``RUN#TRIAL``.
        classes: another number of classes.
        input: another input, ``3x64x64``.
        image_size: another height and width, with the design's own number of channels.
        settings: arguments of a preset, ``{"alpha": 0.5}``.

    Raises:
        UnknownName: no such preset, run or trial.
        InvalidValue: settings for what takes none, or input and image size at once.
        InvalidDesign: the file is not a design, or it cannot take such images.
        DataError: the file cannot be read.
    """
    if input is not None and image_size is not None:
        raise InvalidValue(
            f"give an input or an image size, not both; got {input} and {image_size}"
        )
    if image_size is not None and not 1 <= image_size <= 99_999:
        raise InvalidValue(f"an image size is a number of pixels from 1, got {image_size}")
    if input is not None:
        Shape.parse(input)
    if name in preset_names():
        arguments = dict(settings or {})
        for key, given in (("classes", classes), ("input", input or image_size)):
            if given is not None and key in arguments:
                raise InvalidValue(f"{name}: {key} is set twice, to {arguments[key]} and {given}")
        if classes is not None:
            arguments["classes"] = classes
        if image_size is not None:
            default = inspect.signature(preset_function(name)).parameters["input"].default
            input = f"{default.partition('x')[0]}x{image_size}x{image_size}"
        if input is not None:
            arguments["input"] = input
        return load_preset(name, **arguments)
    if settings:
        raise InvalidValue(f"only a preset takes settings, got {', '.join(settings)} for {name!r}")
    network = _from_run(name) if "#" in name else _from_file(name)
    if image_size is not None:
        input = f"{network.input.channels}x{image_size}x{image_size}"
    shape = Shape.parse(input) if input is not None else None
    try:
        return network.resized(input=shape, classes=classes)
    except InvalidDesign as error:
        raise too_small(
            error, shape or network.input, network.input, lambda x: network.resized(input=x)
        ) from None


def _from_file(name: str) -> Network:
    path = Path(name)
    if not name.endswith(".json") and not path.is_file():
        raise UnknownName("preset (or design file, or RUN#TRIAL)", name, preset_names())
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DataError(f"{path}: the design cannot be read: {reason}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: the design cannot be read: not text in UTF-8") from None
    return parse_network(text, str(path))


def _from_run(name: str) -> Network:
    run_name, _, number = name.rpartition("#")
    run = open_run(run_name)
    if number == "winner":
        winner = run.settings.get("winner")
        if winner is None:
            raise InvalidValue(f"the run {run_name} has no winner yet; its search is not finished")
        number = str(winner)
    by_number = {str(trial.trial): trial for trial in run.trials}
    if number not in by_number:
        raise UnknownName(f"trial of run {run_name}", number, by_number)
    return by_number[number].network


def run_space(run: Run) -> Space:
    """The space that a run searches, for its images and classes, as it was when the run began; with
    a timer where the run predicts latency.

    Raises:
        InvalidValue: the run did not keep its space, and none of that name is shipped.
    """
    from dse.latency.predict import Predictor
    from dse.latency.profile import Profile

    settings = run.settings
    name = str(settings.get("space", ""))
    kept = run.folder / "space.yaml"
    if kept.is_file():
        space = parse_space(kept.read_text(encoding="utf-8"), name, kept.name)
    elif name in space_names():
        space = load_space(name)
    else:
        raise InvalidValue(f"the run {run.name} did not keep its space {name!r}")
    space = space.with_io(Shape.parse(str(settings["input"])), int(settings["classes"]))
    profile = run.folder / "device.json"
    return space.timed_by(Predictor(Profile.load(profile)) if profile.is_file() else None)
