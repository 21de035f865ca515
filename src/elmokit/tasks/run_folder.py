"""The folder a run leaves behind: built under a working name, renamed when it is whole.

A killed run leaves only `.NAME.partial` beside the place of the final folder, which `--resume` takes up.
"""

from __future__ import annotations

import json
import math
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

from elmokit.errors import ConfigError, ModelError
from elmokit.pretrained import located
from elmokit.whole_files import write_text

VERSIONED = ("elmokit", "torch", "transformers", "accelerate", "numpy", "scikit-learn", "datasets", "sacrebleu")


class RunFolder:
    """`final` is where the run ends up, `work` the hidden folder beside it in which it grows."""

    def __init__(self, final: Path) -> None:
        self.final = final.absolute()
        self.work = self.final.with_name(f".{self.final.name}.partial")

    def open(self, *, overwrite: bool = False, resume: bool = False) -> bool:
        """Make the working folder; True when an unfinished run is taken up.

        With `resume` an unfinished run goes on, also where it began with `overwrite`: what stands in the final place
        gives way when the new one is whole.
        Raises ConfigError when the output, or an unfinished run for it, exists and no flag says what to do.
        """
        if resume and self.work.is_dir():
            return True
        if self.final.exists() and not self.final.is_dir():
            raise ConfigError(f"output {self.final} is a file, expected a folder (--output)")
        if self.final.is_dir() and any(self.final.iterdir()) and not overwrite:
            raise ConfigError(f"output folder {self.final} exists and is not empty: --overwrite replaces it")
        if self.work.exists():
            if not overwrite:
                raise ConfigError(
                    f"an unfinished run for {self.final} is in {self.work}: "
                    "--resume continues it, --overwrite starts afresh"
                )
            shutil.rmtree(self.work)
        try:
            self.work.mkdir(parents=True)
        except (FileExistsError, NotADirectoryError, PermissionError) as error:
            raise ConfigError(f"output folder {self.final} cannot be made: {error.strerror} (--output)") from error
        return False

    def finish(self) -> None:
        """Put the working folder in the final place; an older one there goes only now."""
        old = self.final.with_name(f".{self.final.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if self.final.exists():
            self.final.replace(old)
        self.work.replace(self.final)
        shutil.rmtree(old, ignore_errors=True)

    def discard_if_without(self, progress: Path) -> None:
        """Take away a working folder that holds nothing in `progress` yet: there is nothing to resume."""
        if self.work.is_dir() and not (progress.is_dir() and any(progress.iterdir())):
            shutil.rmtree(self.work)


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that shape a result."""
    found = {"python": platform.python_version()}
    for package in VERSIONED:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


def write_json(path: Path, content: Any) -> None:
    """JSON in one move; NaN and infinities become null, which every reader understands."""
    write_text(path, json.dumps(_finite(content), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_yaml(path: Path, content: Any) -> None:
    """YAML in one move, keys in the given order."""
    write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def read_yaml(path: Path) -> dict[str, Any]:
    """What a YAML file of keys and values holds.

    Raises:
        ModelError: It is damaged.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is damaged, its contents are no YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path} is damaged: expected settings with their values, got {str(content)[:40]!r}")
    return content


def settings_of(folder: str | Path) -> dict[str, Any]:
    """The settings that the model in a folder was trained with (`training.yaml`), or none where the file is gone."""
    file = located(folder) / "training.yaml"
    return read_yaml(file) if file.is_file() else {}


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
