"""Command-line options made from the fields of settings: a setting is described once, on its field."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer

from elmokit.cli.options import files, parameter_for, parts
from elmokit.settings import Settings, SettingValues, default_of, groups, roles


def options_of(kind: type[Settings], *, leave_out: frozenset[str] = frozenset()) -> list[inspect.Parameter]:
    """A keyword parameter for each setting, as typer reads them: the needed ones first, then group by group.

    The value is None where the option is not given.
    """
    fields = [item for group in groups(kind).values() for item in group.items() if item[0] not in leave_out]
    fields.sort(key=lambda item: not item[1].is_required())
    parameters = []
    for name, field in fields:
        asked = bare = _bare(field.annotation)
        if _is_list(bare):
            asked = list[str] if roles(kind)[name].files else str
        option = f"--{name.replace('_', '-')}"
        if bare is bool:
            extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
            option = str(extra.get("flag", f"{option}/--no-{name.replace('_', '-')}"))
        text = f"{field.description or ''}."
        text = f"{text[0].upper() if text[0].isascii() else text[0]}{text[1:]}"
        default = default_of(field)
        if default is not None and default != [] and not isinstance(default, bool | Path):
            text += f" [default: {default}]"
        parameters.append(parameter_for(name, Annotated[asked | None, typer.Option(option, help=text)]))
    return parameters


def given(kind: type[Settings], values: Mapping[str, Any]) -> SettingValues:
    """The values of `options_of` as settings: lists are read from `a,b`, and files also from repeated options."""
    read: SettingValues = {}
    for name, value in values.items():
        if _is_list(_bare(kind.model_fields[name].annotation)):
            value = files(value) if isinstance(value, list) else parts(value)
        read[name] = value
    return read


def _bare(annotation: Any) -> Any:
    """A type without its None."""
    if get_origin(annotation) in (Union, UnionType):
        kept = [part for part in get_args(annotation) if part is not NoneType]
        return kept[0] if len(kept) == 1 else str
    return annotation


def _is_list(bare: Any) -> bool:
    return get_origin(bare) is list
