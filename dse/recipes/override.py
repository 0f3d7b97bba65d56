"""Settings of a recipe as people type them: ``learning_rate=1e-3``, ``augment.zoom=0.1``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from dse.errors import InvalidValue, UnknownName
from dse.recipes.augment import Augment
from dse.recipes.named import in_one_sentence
from dse.recipes.recipe import Recipe

_NOT_SETTINGS = ("name", "about", "citation", "ours", "augment")


def parse_override(text: str) -> tuple[str, Any]:
    """A setting and its value, of the setting's type, from ``SETTING=VALUE``.

    A setting of the augmentation is written ``augment.SETTING``, and ``augment=none`` turns it off;
    ``none`` is also how a setting that may be absent is unset.

    Example:
        >>> parse_override("batch_size=64")
        ('batch_size', 64)

    Raises:
        UnknownName: a recipe has no such setting.
        InvalidValue: the text is not of that form, or the value is outside what it may be.
    """
    setting, equals, value = (part.strip() for part in text.partition("="))
    if not equals:
        raise InvalidValue(f"a setting of a recipe is written SETTING=VALUE, got {text!r}")
    if setting == "augment":
        if value.lower() != "none":
            raise InvalidValue(
                f"augment takes only none, its settings are written augment.SETTING, got {value!r}"
            )
        return setting, Augment().model_dump()
    settings = _settings()
    if setting not in settings:
        raise UnknownName("recipe setting", setting, settings)
    field = settings[setting]
    if value.lower() == "none" and field.default is None:
        return setting, None
    kind: Any = Annotated[field.annotation, field]
    try:
        return setting, TypeAdapter(kind).validate_python(value)
    except ValidationError as error:
        raise in_one_sentence(setting, error) from None


def overrides(texts: Iterable[str]) -> dict[str, Any]:
    """Several settings as the arguments of `recipe`; of one given twice the last counts.

    Example:
        >>> overrides(["epochs=5", "augment.zoom=0.1"])
        {'epochs': 5, 'augment': {'zoom': 0.1}}

    Raises:
        As `parse_override`.
    """
    found: dict[str, Any] = {}
    for text in texts:
        setting, value = parse_override(text)
        part, dot, inner = setting.partition(".")
        if dot:
            found[part] = {**found.get(part, {}), inner: value}
        else:
            found[setting] = value
    return found


def _settings() -> dict[str, FieldInfo]:
    """What may be set, by the name it is typed as."""
    own = {n: field for n, field in Recipe.model_fields.items() if n not in _NOT_SETTINGS}
    return own | {f"augment.{n}": field for n, field in Augment.model_fields.items()}
