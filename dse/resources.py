"""Where the templates and search spaces lie: inside an installed package, or at the top of a
checkout.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from jinja2 import Environment


def resource_dir(kind: Literal["templates", "searchspaces"]) -> Path:
    """The folder of the shipped files of a kind."""
    package = Path(__file__).parent
    installed = package / f"_{kind}"
    return installed if installed.is_dir() else package.parent / kind


def page_templates(*folders: str, escape: bool) -> Environment:
    """The templates of pages in some folders, the first one's before those of the others.

    Args:
        folders: below ``templates``.
        escape: whether what is put in is escaped, as HTML needs it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    root = resource_dir("templates")
    return Environment(
        loader=FileSystemLoader([root / folder for folder in folders]),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
