"""Compiles the kernels of `elmokit.nn.native` into the wheel if there is a C compiler; else it is pure Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("src/elmokit/nn/native")
SUFFIXES = {"win32": ".dll", "darwin": ".dylib"}  # as in library.py
FLAGS = ["-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-fno-math-errno", "-fno-trapping-math"]


class KernelsHook(BuildHookInterface[Any]):
    """Runs before a wheel is built, and before an editable installation."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        library = FOLDER / f"elmokit_kernels{SUFFIXES.get(sys.platform, '.so')}"
        if not self._compiled(library):
            return
        build_data["artifacts"].append(library.as_posix())
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"

    def _compiled(self, library: Path) -> bool:
        """Whether the library is there, made from the sources as they are now."""
        target = Path(self.root) / library
        sources = max(path.stat().st_mtime for path in target.parent.glob("*.[ch]"))
        if target.exists() and target.stat().st_mtime < sources:
            target.unlink()
        compiler = _compiler()
        if compiler is None:
            self.app.display_warning("no C compiler (CC, cc): elmokit will run without its compiled kernels, slower")
            return False
        partial = target.with_suffix(".partial")
        command = [*compiler, *FLAGS, "-o", str(partial), str(target.with_name("kernels.c")), "-lm"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            partial.unlink(missing_ok=True)
            self.app.display_warning(f"the kernels do not compile, elmokit will run without them: {done.stderr[-800:]}")
            return False
        partial.replace(target)
        return True


def _compiler() -> list[str] | None:
    """The command of $CC, else cc, gcc or clang; an empty CC asks for none."""
    chosen = os.environ.get("CC")
    if chosen is not None:
        words = chosen.split()
        return words if words and shutil.which(words[0]) else None
    return next(([name] for name in ("cc", "gcc", "clang") if shutil.which(name)), None)
