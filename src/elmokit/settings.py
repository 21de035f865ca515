"""Run settings: a YAML file, over it command-line options, over both ``--set key=value``; checked by pydantic."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo

from elmokit.errors import ConfigError
from elmokit.setting_errors import explain

SettingValues = dict[str, Any]
"""Settings by name as they were written, before a `Settings` model checks them."""


class Settings(BaseModel):
    """A model that refuses unknown keys, so that a misspelt one is an error and not a silent default."""

    model_config = ConfigDict(extra="forbid", validate_default=True)


HOUSEKEEPING: JsonDict = {"changes_result": False, "may_change": True}
"""`json_schema_extra` of a setting that does not change what is computed: a run may be resumed with another value."""
MAY_CHANGE: JsonDict = {"may_change": True}
"""`json_schema_extra` of a setting that changes the result, and may all the same differ when a run is resumed."""
FILES: JsonDict = {"files": True}
"""`json_schema_extra` of a setting that names files (or a model folder) a run reads; a resumed run needs the same."""


@dataclass(frozen=True)
class Role:
    """What a setting means for a run, as its field says in `json_schema_extra`.

    Attributes:
        changes_result: Another value may give another result.
        may_change: A run may be resumed with another value.
        files: Names files or a model folder that are read.
    """

    changes_result: bool = True
    may_change: bool = False
    files: bool = False


def roles(kind: type[BaseModel]) -> dict[str, Role]:
    """The role of every setting."""
    names = Role.__dataclass_fields__.keys()
    found = {}
    for name, field in kind.model_fields.items():
        extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
        found[name] = Role(**{key: bool(value) for key, value in extra.items() if key in names})
    return found


def groups(kind: type[Settings]) -> dict[str, dict[str, FieldInfo]]:
    """The settings by the class that defines them first; the heading is the first line of its docstring.

    Those of the class itself come first, then those of its bases from the last one named to the first.
    """
    bases = [base for base in kind.__mro__ if issubclass(base, Settings)]
    found: dict[str, dict[str, FieldInfo]] = {}
    for base in [bases[0], *bases[:0:-1]]:
        heading = (base.__doc__ or "").strip().split("\n")[0]
        above = {name for other in bases[bases.index(base) + 1 :] for name in other.__annotations__}
        first = base.__annotations__.keys() - above
        own = {name: field for name, field in kind.model_fields.items() if name in first}
        if own:
            found[heading] = own
    return found


def default_of(field: FieldInfo) -> Any:
    """The default of an optional setting, as plain values; None for a needed one."""
    if field.is_required():
        return None
    default = field.get_default(call_default_factory=True, validated_data={})
    return default.model_dump(mode="json", exclude_none=True) if isinstance(default, BaseModel) else default


# What a finished run notes in its `training.yaml` next to the settings: as `--config` that file gives the same run.
RECORDED = {"versions", "trained_in", "task", "files_read"}

_S = TypeVar("_S", bound=Settings)


def load_settings(
    kind: type[_S], file: str | Path | None = None, *, overrides: Sequence[str] = (), **values: Any
) -> _S:
    """Build ``kind`` from a YAML file, direct values that are not None, and ``key=value`` overrides: the later wins.

    Dots in an override reach into mappings: ``model.dropout=0.2``. What a `training.yaml` records next to
    settings is passed over.
    Raises ``ConfigError`` naming the key, what came and what is known.
    """
    merged: SettingValues = {}
    try:
        content = {} if file is None else yaml.safe_load(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"--config {file}: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"--config {file} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict | None):
        raise ConfigError(f"--config {file}: expected `key: value` lines, found a {type(content).__name__}")
    merged |= content or {}
    if odd := [key for key in merged if not isinstance(key, str)]:
        raise ConfigError(f"--config {file}: the key {odd[0]!r} is no name")
    for key in RECORDED - kind.model_fields.keys():
        merged.pop(key, None)
    merged |= {key: deepcopy(value) for key, value in values.items() if value is not None}
    for override in overrides:
        _assign(merged, override)
    try:
        return kind.model_validate(merged)
    except ValidationError as error:
        raise ConfigError(explain(kind, merged, error)) from error


def dump_settings(settings: Settings) -> str:
    """The resolved settings as YAML, in the order of their definition."""
    return yaml.safe_dump(settings.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def _assign(target: SettingValues, override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override!r}: expected key=value, for example --set epochs=5")
    *path, last = key.strip().split(".")
    for name in path:
        inner = target.get(name)
        if inner is None:  # not there, or an empty `name:` in the file
            inner = target[name] = {}
        if not isinstance(inner, dict):
            raise ConfigError(f"--set {override!r}: {name!r} is not a group of settings")
        target = inner
    try:
        target[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override!r}: the value is not YAML") from error
