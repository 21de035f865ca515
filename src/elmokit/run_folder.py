"""The folder of a run: one writer, resumed only with the same settings and data, and whole when it is finished.

`run_in` is the whole protocol for runs that grow under a working name: a killed run leaves only `.NAME.partial` next to
the final folder, which `--resume` continues. Runs that write into their folder itself use its parts: `single_writer`,
`sums_of` and `refuse_other_run`.
"""

from __future__ import annotations

import glob
import hashlib
import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml
from filelock import FileLock, Timeout

from elmokit.errors import ConfigError, ModelError
from elmokit.pretrained import located
from elmokit.settings import Settings, roles
from elmokit.whole_files import JsonObject, json_text, write_text

VERSIONED = ("elmokit", "torch", "transformers", "accelerate", "numpy", "scikit-learn", "datasets", "sacrebleu")


class RunFolder:
    """`final` is where the run ends up, `work` the hidden folder next to it in which it grows."""

    def __init__(self, final: Path) -> None:
        self.final = final.absolute()
        self.work = self.final.with_name(f".{self.final.name}.partial")

    def open(self, *, overwrite: bool = False, resume: bool = False) -> bool:
        """Make the working folder; True when an unfinished run is resumed.

        With `resume` an unfinished run continues, also where it began with `overwrite`: what stands in the final place
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
        """Take away a working folder that contains nothing in `progress` yet: there is nothing to resume."""
        if self.work.is_dir() and not (progress.is_dir() and any(progress.iterdir())):
            shutil.rmtree(self.work)


@contextmanager
def run_in(
    final: Path, *, progress: str = "checkpoints", overwrite: bool = False, resume: bool = False
) -> Iterator[Path]:
    """The working folder of a run, which becomes `final` when the block ends without an error.

    What fails before there is anything in its subfolder `progress` leaves nothing behind, later it leaves a run to
    resume. `progress` itself is not part of the finished folder.

    Raises:
        ConfigError: Another process is writing the run, or as `RunFolder.open`.
    """
    folder = RunFolder(final)
    with single_writer(folder.final):
        folder.open(overwrite=overwrite, resume=resume)
        try:
            yield folder.work
        finally:
            folder.discard_if_without(folder.work / progress)
        shutil.rmtree(folder.work / progress, ignore_errors=True)
        folder.finish()


@contextmanager
def single_writer(folder: Path) -> Iterator[None]:
    """Hold the lock on what is written to `folder`; it is released when the process ends, however it ends.

    Raises:
        ConfigError: Another process holds it, or the lock file cannot be written.
    """
    folder = folder.absolute()
    lock = FileLock(folder.with_name(f".{folder.name}.lock"), timeout=0)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise ConfigError(
            f"another process is writing {folder}: wait until it has ended, or choose another --output"
        ) from None
    except OSError as error:
        raise ConfigError(f"output folder {folder} cannot be made: {error.strerror} (--output)") from error
    try:
        yield
    finally:
        if os.name == "posix":  # elsewhere an open file stays
            Path(lock.lock_file).unlink(missing_ok=True)
        lock.release()


def files_of(settings: Settings) -> list[Path]:
    """The files that a run with these settings reads: those its `FILES` settings name, and those of folders.

    Of model folders these are the configuration and the weights, of others (classes, data sets) all files.
    """
    found: dict[Path, None] = {}
    for name, role in roles(type(settings)).items():
        given = getattr(settings, name)
        if not role.files or given is None:
            continue
        for entry in given if isinstance(given, list) else [given]:
            path = located(entry)
            if path.is_dir():
                model = sorted(p for p in path.iterdir() if p.suffix in (".json", ".safetensors"))
                found |= dict.fromkeys(model or sorted(p for p in path.rglob("*") if p.is_file()))
                found |= dict.fromkeys(sorted(path.rglob("*.arrow")))  # a saved data set has .json, too
            elif path.is_file():
                found[path] = None
            elif archive := next((p for p in path.parents if p.suffix.lower() == ".zip" and p.is_file()), None):
                found[archive] = None
            else:
                found |= dict.fromkeys(
                    sorted(Path(p) for p in glob.glob(str(entry), recursive=True) if Path(p).is_file())
                )
    return list(found)


def sums_of(files: Iterable[Path]) -> dict[str, JsonObject]:
    """Size and BLAKE2b checksum of each file by its path."""
    sums: dict[str, JsonObject] = {}
    for path in files:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
        sums[str(path)] = {"bytes": path.stat().st_size, "blake2b": digest}
    return sums


def refuse_other_run(
    before: Mapping[str, Any], settings: Settings, files_read: Mapping[str, Any], *, where: Path
) -> None:
    """A run is resumed with its own settings, but for those that may change, and the data it began with.

    Args:
        before: What the run recorded: its settings, and under `files_read` what `sums_of` gave.
        settings: Of the resumed run.
        files_read: What `sums_of` gives now.
        where: The folder, for messages.

    Raises:
        ConfigError: A setting or a file differs.
    """
    now = settings.model_dump(mode="json")
    for name, role in roles(type(settings)).items():
        if not role.may_change and name in before and before[name] != now[name]:
            raise ConfigError(
                f"the unfinished run in {where} has {name} = {before[name]!r}, this one {now[name]!r}: "
                "give the same settings, or --overwrite to start afresh"
            )
    refuse_other_files(before, files_read, where=where)


def refuse_other_files(before: Mapping[str, Any], files_read: Mapping[str, Any], *, where: Path) -> None:
    """A run is resumed with the data it began with; arguments as of `refuse_other_run`.

    Raises:
        ConfigError: A file differs in size or contents, or is missing.
    """
    for name, was in (before.get("files_read") or {}).items():
        if files_read.get(name) != was:
            here = f"{files_read[name]['bytes']:,} bytes" if name in files_read else "missing"
            raise ConfigError(
                f"{name} is not the file that the unfinished run in {where} began with ({was['bytes']:,} bytes then, "
                f"{here} now, or other contents): bring it back, or --overwrite to start afresh"
            )


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
    write_text(path, json_text(content, indent=2) + "\n")


def write_yaml(path: Path, content: Any) -> None:
    """YAML in one move, keys in the given order."""
    write_text(path, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


def read_yaml(path: Path) -> JsonObject:
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


def settings_of(folder: str | Path) -> JsonObject:
    """The settings that the model in a folder was trained with (`training.yaml`), or none where the file is gone."""
    file = located(folder) / "training.yaml"
    return read_yaml(file) if file.is_file() else {}
