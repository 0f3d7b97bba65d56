"""Where the templates and search spaces lie: inside an installed package, or at the top of a
checkout.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal


def resource_dir(kind: Literal["templates", "searchspaces"]) -> Path:
    """The folder of the shipped files of a kind."""
    package = Path(__file__).parent
    installed = package / f"_{kind}"
    return installed if installed.is_dir() else package.parent / kind
