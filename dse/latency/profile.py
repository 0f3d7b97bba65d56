"""Device profiles: what was measured on a machine, as versioned JSON that travels.

A profile holds measurements and no model: what is learned from them is learned when it is read, so
that a better model serves old profiles too.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dse.atomic import write_atomically
from dse.errors import InvalidValue, UnknownName
from dse.latency.kernel import Kernel
from dse.latency.layout import Layout

FORMAT = 1
"""Of the JSON: raised when its meaning changes."""

PLACE_VARIABLE = "DSE_DEVICES"

_NAME = re.compile(r"[a-z0-9]+([-._][a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class KernelTime:
    """What one kernel took.

    Attributes:
        kernel: the kernel.
        us: the median of its measurements in microseconds, the profiler's own time included.
        spread: half of the measurements lie within this part of the median.
        count: how many measurements, each of another network or turn.
    """

    kernel: Kernel
    us: float
    spread: float
    count: int


@dataclass(frozen=True, slots=True)
class NetworkTime:
    """What one whole network took, without the profiler.

    Attributes:
        name: for people.
        ms: the median of its turns in milliseconds.
        spread: half of the turns lie within this part of the median.
        count: how many turns.
        kernels: what it runs, each with how often.
    """

    name: str
    ms: float
    spread: float
    count: int
    kernels: tuple[tuple[Kernel, int], ...]


@dataclass(frozen=True)
class Profile:
    """A device as it was measured.

    Attributes:
        name: what it is called here; also the file's name.
        device: the runtime, as `dse device list` names it.
        cpu: the processor's name.
        cores: of the machine; `threads` of them were used.
        system: operating system and architecture.
        libraries: versions by name.
        threads: of the runtime.
        dtype: of weights and activations.
        date: when it was measured, in ISO's notation.
        layout: how the runtime lays maps out there.
        rounds: how often each network had its turn.
        profiler_us: what the profiler itself adds to each kernel.
        kernels: measured one by one, within networks.
        networks: measured as a whole.
    """

    name: str
    device: str
    cpu: str
    cores: int
    system: str
    libraries: Mapping[str, str]
    threads: int
    dtype: str
    date: str
    layout: Layout
    rounds: int
    profiler_us: float
    kernels: tuple[KernelTime, ...]
    networks: tuple[NetworkTime, ...]

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def machine(self) -> str:
        """The machine in words."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        libraries = ", ".join(f"{name} {version}" for name, version in self.libraries.items())
        return f"{self.cpu} ({self.system}), {threads}, {libraries}"

    @property
    def noise(self) -> float:
        """The part of a network's time by which half of its measurements stray from their
        median.
        """
        spreads = sorted(network.spread for network in self.networks)
        return spreads[len(spreads) // 2]

    # -- text

    def to_json(self) -> str:
        """The profile as JSON: each kernel written once, a measurement a line."""
        numbers: dict[Kernel, int] = {}
        for time in self.kernels:
            numbers.setdefault(time.kernel, len(numbers))
        for network in self.networks:
            for kernel, _ in network.kernels:
                numbers.setdefault(kernel, len(numbers))
        head = {
            "format": FORMAT,
            **{name: getattr(self, name) for name in _HEAD},
            "libraries": dict(self.libraries),
            "layout": asdict(self.layout),
        }
        lists: dict[str, list[Any]] = {
            "signatures": [_write(kernel) for kernel in numbers],
            "kernels": [
                [numbers[t.kernel], _short(t.us), _short(t.spread), t.count] for t in self.kernels
            ],
            "networks": [
                {
                    "name": n.name,
                    "ms": _short(n.ms),
                    "spread": _short(n.spread),
                    "count": n.count,
                    "kernels": [[numbers[kernel], times] for kernel, times in n.kernels],
                }
                for n in self.networks
            ],
        }
        lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in head.items()]
        for key, rows in lists.items():
            inner = ",\n".join(f"    {json.dumps(row)}" for row in rows)
            lines.append(f"  {json.dumps(key)}: [\n{inner}\n  ]")
        return "{\n" + ",\n".join(lines) + "\n}\n"

    def write(self, path: Path) -> None:
        """Write it whole or not at all."""
        write_atomically(path, self.to_json())

    @classmethod
    def read(cls, text: str, place: str = "the profile") -> Profile:
        """Read a profile's JSON; `place` is what errors call it.

        Raises:
            InvalidValue: it is damaged, of another format version, or holds no measurements.
        """
        try:
            document = json.loads(text)
        except ValueError as error:
            raise InvalidValue(f"{place} must be JSON, but {error}") from None
        found = document.get("format") if isinstance(document, dict) else None
        if found != FORMAT:
            raise InvalidValue(
                f"{place} must be a device profile of format {FORMAT}, got format {found}; "
                "calibrate again with this version of dse"
            )
        try:
            profile = _read(document)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise InvalidValue(f"{place} is a damaged device profile: {problem}") from None
        if not profile.kernels or not profile.networks:
            raise InvalidValue(
                f"{place} must hold measured kernels and networks, got "
                f"{len(profile.kernels)} and {len(profile.networks)}"
            )
        return profile

    @classmethod
    def load(cls, path: Path) -> Profile:
        """Read a profile's file.

        Raises:
            InvalidValue: it cannot be read, or see `read`.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            problem = (error.strerror or str(error)).lower()
            raise InvalidValue(f"the device profile {path} cannot be read: {problem}") from None
        except UnicodeDecodeError:
            raise InvalidValue(f"the device profile {path} must be text") from None
        return cls.read(text, str(path))


_HEAD = (
    "name",
    "device",
    "cpu",
    "cores",
    "system",
    "threads",
    "dtype",
    "date",
    "rounds",
    "profiler_us",
)
_HEAD_TYPES = {"cores": int, "threads": int, "rounds": int, "profiler_us": float}


def _short(number: float) -> float:
    return float(f"{number:.5g}")


def _write(kernel: Kernel) -> list[Any]:
    return [
        kernel.kind,
        kernel.inputs,
        kernel.output,
        kernel.window,
        kernel.strides,
        kernel.groups,
        kernel.activation,
        kernel.sums,
        kernel.blocked,
    ]


def _read_kernel(row: Any) -> Kernel:
    kind, inputs, output, window, strides, groups, activation, sums, blocked = row
    return Kernel(
        str(kind),
        tuple([_whole(shape) for shape in inputs]),
        _whole(output),
        _pair(window),
        _pair(strides),
        int(groups),
        str(activation),
        bool(sums),
        bool(blocked),
    )


def _whole(shape: Iterable[Any]) -> tuple[int, ...]:
    return tuple([int(size) for size in shape])


def _pair(sizes: Iterable[Any]) -> tuple[int, int]:
    first, second = sizes
    return int(first), int(second)


def _positive(number: Any) -> float:
    value = float(number)
    if not 0 < value < float("inf"):
        raise ValueError(f"a time is above 0 and finite, got {number}")
    return value


def _read(document: dict[str, Any]) -> Profile:
    signatures = [_read_kernel(row) for row in document["signatures"]]
    head = {name: _HEAD_TYPES.get(name, str)(document[name]) for name in _HEAD}
    return Profile(
        **head,
        libraries={str(k): str(v) for k, v in document["libraries"].items()},
        layout=Layout(**document["layout"]),
        kernels=tuple(
            KernelTime(signatures[number], _positive(us), float(spread), int(count))
            for number, us, spread, count in document["kernels"]
        ),
        networks=tuple(
            NetworkTime(
                str(row["name"]),
                _positive(row["ms"]),
                float(row["spread"]),
                int(row["count"]),
                tuple((signatures[number], int(times)) for number, times in row["kernels"]),
            )
            for row in document["networks"]
        ),
    )


# -- where they are kept


def check_name(name: str) -> None:
    """What a profile may be called, as it becomes a file.

    Raises:
        InvalidValue: not that.
    """
    if not _NAME.fullmatch(name) or len(name) > 80:
        raise InvalidValue(
            f"a profile's name is lower-case letters and digits joined by - . or _, got {name!r}"
        )


def profiles_dir() -> Path:
    """The folder of profiles: $DSE_DEVICES, else one of the user's."""
    if chosen := os.environ.get(PLACE_VARIABLE):
        return Path(chosen).expanduser()
    from platformdirs import user_data_dir

    return Path(user_data_dir("dse", appauthor=False)) / "devices"


def profile_names() -> tuple[str, ...]:
    """The profiles kept here, in alphabetical order."""
    return tuple(sorted(path.stem for path in profiles_dir().glob("*.json")))


def find_profile(name_or_path: str) -> Profile:
    """A profile by its name, or from a file.

    Raises:
        UnknownName: none of that name is kept here, and there is no such file.
        InvalidValue: it cannot be read.
    """
    path = Path(name_or_path)
    if path.suffix != ".json" and not path.is_file():
        if name_or_path not in profile_names():
            raise UnknownName("device profile", name_or_path, profile_names())
        path = profiles_dir() / f"{name_or_path}.json"
    return Profile.load(path)


def slug(*parts: str) -> str:
    """Some words as a profile's name: `AMD EPYC 7763` is ``amd-epyc-7763``."""
    text = re.sub(r"\([^)]*\)|@.*", " ", "-".join(parts).lower())
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:80] or "device"
