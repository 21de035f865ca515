"""Dataclasses read from the values of a JSON file, every value held against the type of its field."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from types import UnionType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from elmokit.errors import ConfigError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Config = TypeVar("_Config", bound="DataclassInstance")


def read_fields(cls: type[_Config], values: Mapping[str, Any]) -> _Config:
    """The dataclass made of those of `values` that are fields of it; the others are passed over.

    Raises:
        ValueError: One is of the wrong type.
    """
    hints = get_type_hints(cls)
    chosen = {field.name: values[field.name] for field in fields(cls) if field.name in values}
    for name, value in chosen.items():
        if not _fits(value, hints[name]):
            raise ValueError(f"'{name}' expected {_in_words(hints[name])}, got {type(value).__name__} ({value!r})")
    return cls(**chosen)


def refuse_unknown(names: Iterable[str], known: Iterable[str]) -> None:
    """Every name is a known setting of a model.

    Raises:
        ConfigError: One is not; with the closest known one.
    """
    known = sorted(known)
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(known)}."
            raise ConfigError(f"Unknown model setting {name!r}. {hint}")


def _fits(value: object, hint: Any) -> bool:
    """Whether a value of JSON is of a type; a whole number serves as a float."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in arguments)
    if origin in (UnionType, Union):
        return any(_fits(value, choice) for choice in arguments)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(key, arguments[0]) and _fits(item, arguments[1]) for key, item in value.items()
        )
    return type(value) is hint or (hint is float and type(value) is int)


def _in_words(hint: Any) -> str:
    """A type as an error tells it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return f"one of {arguments}"
    if origin in (UnionType, Union):
        kinds = [each for each in arguments if each is not int or float not in arguments]
        return " or ".join("no value" if each is type(None) else _in_words(each) for each in kinds)
    if origin in (list, dict):
        return f"{origin.__name__} of {_in_words(arguments[-1])}"
    return str(hint.__name__)
