"""A process beside this one in which one runtime measures, undisturbed by others.

ONNX Runtime's and torch's threads slow each other down in one process, and either is slowed by what
else a program does there.
"""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from dse.devices import find_device
from dse.devices.base import Latency, Taken
from dse.devices.child import Done, Refused
from dse.devices.energy import Energy
from dse.devices.rounds import latency_of
from dse.errors import DseError, InvalidValue
from dse.network import Network

_ROUNDS = 24
_ROUND_MS = 15.0
"""A third of a second and a bit, as `latency` has it for those who ask for many networks."""


class Measurer:
    """Measures networks one after the other, or several in turn, in one process of its own.

    Example:
        >>> with Measurer("onnxruntime-cpu") as measurer:  # doctest: +SKIP
        ...     measurer.latency(dse.preset("squeezenet")).median_ms

    Attributes:
        device: see `device_names`.
        threads: that compute.
    """

    def __init__(self, device: str = "onnxruntime-cpu", *, threads: int = 1) -> None:
        """Raises UnknownName for a device that is unknown, InvalidValue for one this machine lacks.

        The process begins with the first network.
        """
        self.device, self.threads = device, threads
        self._runtime = find_device(device)
        if reason := self._runtime.absent():
            raise InvalidValue(f"{device} cannot be measured on this machine: {reason}")
        self._process: subprocess.Popen[bytes] | None = None
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - as long as this lives

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, whatever it is at."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def latency(self, network: Network | bytes, *, batch: int = 1) -> Latency:
        """How long a call takes, over about a third of a second.

        Args:
            network: a network, or for ONNX Runtime the bytes of a file.
            batch: images of a call.

        Raises:
            DseError: the runtime cannot run it, or the process died of it.
        """
        with self._loaded(network, batch) as (name, note):
            rounds = [self.round(name, _ROUND_MS) for _ in range(_ROUNDS)]
        processor = self._runtime.processor
        return latency_of(rounds, note, processor=processor, batch=batch, threads=self.threads)

    def energy(self, network: Network | bytes) -> Energy | None:
        """What an image takes, over about two seconds; None where the machine does not say.

        Raises:
            DseError: see `latency`.
        """
        with self._loaded(network, 1) as (name, _):
            energy: Energy | None = self._ask("energy", name)
        return energy

    def load(self, name: str, network: Network | bytes, *, batch: int = 1) -> str:
        """Load a network under a name and warm it up; returns library, version and threads."""
        packed = network if isinstance(network, bytes) else self._runtime.pack(network)
        note: str = self._ask("load", name, packed, batch)
        return note

    def round(self, name: str, milliseconds: float) -> list[Taken]:
        """Call a loaded network for so long, at least once."""
        calls: list[Taken] = self._ask("round", name, milliseconds)
        return calls

    def drop(self, name: str) -> None:
        """Forget a loaded network."""
        self._ask("drop", name)

    @contextmanager
    def _loaded(self, network: Network | bytes, batch: int) -> Iterator[tuple[str, str]]:
        """What a network is called while it is loaded, and what runs it."""
        name = network.name if isinstance(network, Network) else "the ONNX file"
        note = self.load(name, network, batch=batch)
        yield name, note
        self.drop(name)

    def _ask(self, method: str, name: str, *arguments: object) -> Any:
        if self._process is None:
            self._process = self._begin()
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        try:
            pickle.dump((method, (name, *arguments)), to)
            to.flush()
            answer: Done | Refused = pickle.load(back)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise DseError(self._obituary(name)) from None
        if isinstance(answer, Done):
            return answer.value
        if answer.ours:
            raise DseError(f"{name} cannot be measured on {self.device}: {answer.sentence}")
        raise InvalidValue(f"{name} on {self.device}: {answer.sentence}")

    def _begin(self) -> subprocess.Popen[bytes]:
        # The same path as here, and not the folder that the user happens to be in.
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; from dse.devices import child; child.main()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            # Ctrl-C is for this process, which then ends the other.
            start_new_session=True,
        )
        assert process.stdin is not None
        pickle.dump((self.device, self.threads), process.stdin)
        return process

    def _obituary(self, name: str) -> str:
        """What to say of a process that is gone, which the next network will not find."""
        assert self._process is not None
        code = self._process.wait()
        self._process = None
        self._complaints.seek(0)
        said = self._complaints.read().decode(errors="replace").strip().rpartition("\n")[2]
        how = f"exit code {code}"
        if code < 0:
            how = signal.Signals(-code).name
            if -code == signal.SIGKILL:
                how += ", most likely for want of memory"
        told = f": {said}" if said else ""
        return f"the process that measured {name} on {self.device} died ({how}){told}"
