"""The machine that figures come from, in the words that tell it from others."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_CPU_FACTS = Path("/proc/cpuinfo")
_CPU_KEYS = ("model name", "Model", "Hardware", "cpu model", "uarch")
"""Who makes the processor says its name under: x86, Raspberry Pi, older ARM, MIPS, RISC-V."""


@dataclass(frozen=True)
class Machine:
    """A machine as far as its speed goes.

    Attributes:
        cpu: the processor's name.
        cores: those this process may run on, which in a container may be fewer than there are.
        system: operating system and architecture.
        python: version of the interpreter.
        libraries: versions of those that ran the networks, by name.
    """

    cpu: str
    cores: int
    system: str
    python: str
    libraries: dict[str, str]

    def __str__(self) -> str:
        cores = "1 core" if self.cores == 1 else f"{self.cores} cores"
        libraries = [f"{name} {number}" for name, number in self.libraries.items()]
        return ", ".join([self.cpu, cores, self.system, f"python {self.python}", *libraries])


def this_machine(*libraries: str) -> Machine:
    """The machine this runs on, with the versions of the installed ones of some packages."""
    found = {}
    for name in libraries:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return Machine(
        cpu_name(),
        core_count(),
        f"{platform.system()} {platform.machine()}",
        platform.python_version(),
        found,
    )


def cpu_name() -> str:
    """The name the processor goes by; its architecture where the system knows no better."""
    return _linux_name() or _mac_name() or platform.processor() or platform.machine()


def core_count() -> int:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _linux_name() -> str:
    try:
        lines = _CPU_FACTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    facts: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        facts.setdefault(key.strip(), " ".join(value.split()))
    return next((facts[key] for key in _CPU_KEYS if facts.get(key)), "")


def _mac_name() -> str:
    if platform.system() != "Darwin":
        return ""
    asked = ["sysctl", "-n", "machdep.cpu.brand_string"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip()
