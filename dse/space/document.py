"""Reading a space's YAML safely: plain mappings and lists, no tags, every key once.

Anchors and aliases are welcome. Merge keys (``<<``) are not: their expansion can grow without bound
while the file is being read, and a reader has to follow it by eye.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import yaml

from dse.errors import InvalidDesign

MAX_CHARACTERS = 500_000


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses duplicate keys, merge keys and keys that are not scalars."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Called for each mapping before it is built: where merge keys would be expanded."""
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, "merge keys (<<) are not used in spaces", key.start_mark
                )

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        mapping = super().construct_mapping(node, deep=True)
        if len(mapping) != len(node.value):
            seen = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=True)
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key!r} appears twice", key_node.start_mark
                    )
                seen.add(key)
        return mapping


def read_yaml(text: str, place: str) -> object:
    """The document in `text`; `place` names the file in errors.

    Raises:
        InvalidDesign: not YAML, or YAML of a kind that spaces do not use; says the line.
    """
    if len(text) > MAX_CHARACTERS:
        raise InvalidDesign(
            f"{place}: a space has at most {MAX_CHARACTERS:,} characters, got {len(text):,}"
        )
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = " ".join(str(error.problem or error.context).split())
        raise InvalidDesign(f"{place}{where}: {problem}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidDesign(f"{place}: not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise InvalidDesign(f"{place}: the document is nested too deeply") from None
