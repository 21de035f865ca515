"""What is said of settings that do not fit: the key, what was expected and what came, in one line."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", Path: "a path", Any: "value"}
_BOUNDS = {"ge": "of at least", "gt": "above", "le": "of at most", "lt": "below"}  # as pydantic keeps them
_OWN_WORDS = ("value_error", "assertion_error")  # raised by a check of ours, which says what it expects


def explain(kind: type[BaseModel], values: Mapping[str, Any], error: ValidationError) -> str:
    """A sentence for each key that pydantic refused.

    Args:
        kind: The settings.
        values: What was to become them.
        error: What pydantic says.
    """
    # A setting of several types has a problem for each of them, and a list one for each entry: said once.
    return "; ".join(dict.fromkeys(_sentence(kind, values, problem) for problem in error.errors()))


def expected(annotation: Any, bounds: Sequence[Any] = ()) -> str:
    """A type with its bounds in words: `one of muon, adam`; `a whole number above 0 (or null)`."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        own = [bound for extra in inner[1:] for bound in getattr(extra, "metadata", [extra])]
        return expected(inner[0], [*bounds, *own])
    if origin in (Union, UnionType):
        words = " or ".join(expected(each, bounds) for each in inner if each is not NoneType)
        return f"{words} (or null)" if NoneType in inner else words
    if origin is Literal:
        return f"one of {', '.join(map(str, inner))}" if len(inner) > 1 else str(inner[0])
    filled = " that is not empty" if any(getattr(bound, "min_length", None) for bound in bounds) else ""
    if origin is list:
        return f"a list [a, b]{filled}, each {expected(inner[0])}"
    if origin is dict:
        return f"a mapping {{name: {expected(inner[1])}}}"
    if _model(annotation) is not None:
        return "a mapping {name: value}"
    limits = [
        f"{how} {getattr(bound, name):g}"
        for bound in bounds
        for name, how in _BOUNDS.items()
        if getattr(bound, name, None) is not None
    ]
    return f"{_KINDS.get(annotation, annotation)}{filled} {' and '.join(limits)}".strip()


def _sentence(kind: type[BaseModel], values: Mapping[str, Any], problem: ErrorDetails) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":  # no setting: say the nearest one, and all there are at that place
        model = _model(_place(kind, problem["loc"][:-1])[1])
        known = list(model.model_fields) if model is not None else []
        close = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.7)
        meant = f" (did you mean {close[0]!r}?)" if close else ""
        return f"unknown setting {key!r}{meant}; known here: {', '.join(known)}"
    if problem["type"] == "missing":
        return f"setting {key!r} is missing (--{key.replace('_', '-')} or --set {key}=…)"
    if problem["type"] in _OWN_WORDS:
        trouble = problem["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
        return f"setting {key!r}: {trouble}, got {_short(problem['input'])}" if key else trouble
    path, annotation, bounds = _place(kind, problem["loc"])
    came: Any = values
    for part in path:
        try:
            came = came[part]
        except (LookupError, TypeError):  # not as it was given: a default, or what a check made of it
            came = problem["input"]
            break
    return f"setting {'.'.join(map(str, path))!r}: expected {expected(annotation, bounds)}, got {_short(came)}"


def _place(kind: type[BaseModel], location: Sequence[int | str]) -> tuple[list[int | str], Any, Sequence[Any]]:
    """The path of the setting a problem is in, its type and its bounds.

    pydantic's location has more parts: which of several types was tried, and which entry of a list of plain values.
    """
    path: list[int | str] = []
    annotation: Any = kind
    bounds: Sequence[Any] = ()
    for part in location:
        model = _model(annotation)
        if model is not None and part in model.model_fields:
            field = model.model_fields[str(part)]
            annotation, bounds = field.annotation, field.metadata
        elif get_origin(annotation) is list and _model(get_args(annotation)[0]) is not None:
            annotation, bounds = get_args(annotation)[0], ()
        else:
            break
        path.append(part)
    return path, annotation, bounds


def _model(annotation: Any) -> type[BaseModel] | None:
    """The settings that a type is, alone or with None."""
    for each in get_args(annotation) if get_origin(annotation) in (Union, UnionType) else [annotation]:
        if isinstance(each, type) and issubclass(each, BaseModel):
            return each
    return None


def _short(value: Any) -> str:
    """A value as a message shows it; what YAML has words of its own for, in these."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"
