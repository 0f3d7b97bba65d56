"""The device profile by which a search predicts latency."""

from __future__ import annotations

import time
from pathlib import Path

from dse.cli.bar import bar
from dse.cli.output import say
from dse.devices import device_names
from dse.devices.calibrate import MINUTES, calibrate
from dse.devices.profiles import local_profile, mismatch
from dse.errors import InvalidValue, UnknownName
from dse.latency.profile import Profile, find_profile, profile_names, profiles_dir

HERE = "onnxruntime-cpu"
"""This machine's profile, by the name of the runtime that profiles are of."""

PROFILE_FILE = "device.json"
"""A run's own copy: it goes on, and others help with it, by the times it began with."""


def check_predictable(device: str | None) -> None:
    """See that latency can be predicted for a device.

    Raises:
        InvalidValue: it is a runtime that no profile is of, or its profile cannot be read.
        UnknownName: there is no such profile.
    """
    if device in (None, HERE):
        return
    if device in device_names():
        raise InvalidValue(
            f"a search predicts latency by a device profile, and those are of {HERE}; got --device "
            f"{device}, which dse device measure can time"
        )
    assert device is not None
    try:
        find_profile(device)
    except UnknownName:
        raise UnknownName("device", device, (HERE, *profile_names())) from None


def profile_of(device: str | None, kept: Path, *, quiet: bool) -> Profile:
    """The profile of a device: the run's own copy where it is `kept`, else the one named, else that
    of this machine, which is calibrated if it never was.

    Raises:
        InvalidValue, UnknownName: as `check_predictable`.
        FailedCalibration: this machine could not be measured.
    """
    if kept.exists():
        return Profile.load(kept)
    if device not in (None, HERE):
        assert device is not None
        return find_profile(device)
    return local_profile() or _calibrated(quiet=quiet)


def say_device(profile: Profile) -> None:
    """By what latency is predicted, and whether that is of this machine."""
    say(f"latency is predicted by the profile {profile.name}: {profile.machine}")
    difference = mismatch(profile)
    if difference is not None:
        say(f"warning: {difference}, and the front will not be measured")


def _calibrated(*, quiet: bool) -> Profile:
    say(
        "no device profile of this machine and its ONNX Runtime was made yet: it is calibrated "
        f"first, in about {MINUTES + 1:.0f} minutes; later searches use the same"
    )
    began = time.monotonic()
    with bar("calibrating", quiet=quiet) as progress:
        profile = calibrate(progress=progress)
    path = profiles_dir() / f"{profile.name}.json"
    profile.write(path)
    minutes = (time.monotonic() - began) / 60
    say(f"calibrated in {minutes:.1f} minutes and kept as {profile.name}: {path}")
    return profile
