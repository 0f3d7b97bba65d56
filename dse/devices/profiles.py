"""Device profiles and the machine at hand: which are of it, and how it differs from others."""

from __future__ import annotations

from collections.abc import Mapping

from dse.devices.machine import this_machine
from dse.errors import DseError
from dse.latency.profile import Profile, profile_names, profiles_dir

RUNTIME = "onnxruntime"


def mismatch(profile: Profile) -> str | None:
    """One sentence on how this machine differs from that of a profile; None if it does not."""
    here = this_machine(RUNTIME)
    same = profile.cpu == here.cpu and profile.system == here.system
    if same and profile.libraries.get(RUNTIME) == here.libraries.get(RUNTIME):
        return None
    return (
        f"the profile {profile.name} is of {_words(profile.cpu, profile.system, profile.libraries)}"
        f"; this is {_words(here.cpu, here.system, here.libraries)}: what it predicts is of the "
        "former"
    )


def local_profile() -> Profile | None:
    """The newest profile kept here that is of this machine and its version of ONNX Runtime, on one
    thread.
    """
    found = []
    for name in profile_names():
        try:
            profile = Profile.load(profiles_dir() / f"{name}.json")
        except DseError:
            continue  # damaged, or of another version of dse: of no use, and no reason to fail
        if profile.threads == 1 and mismatch(profile) is None:
            found.append(profile)
    return max(found, key=lambda profile: profile.date, default=None)


def _words(cpu: str, system: str, libraries: Mapping[str, str]) -> str:
    return f"{cpu} ({system}) with {RUNTIME} {libraries.get(RUNTIME, 'of some version')}"
