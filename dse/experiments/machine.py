"""The machine that results come from."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any


def machine(device: str) -> dict[str, Any]:
    """What is worth knowing of it when numbers are compared; `device` is torch's."""
    from dse.runtime.train import threads_for

    return {
        "platform": platform.platform(),
        "cpu": platform.processor() or platform.machine(),
        "cores": threads_for(1),
        "python": platform.python_version(),
        "torch": version("torch"),
        "device": device,
    }
