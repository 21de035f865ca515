"""`pip install` with a line now and then, in place of none for minutes or of thousands: what `make` calls.

python scripts/install.py [options of pip install] …
"""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterable

EVERY = 15.0  # seconds between two lines


class Progress:
    """What pip's own lines say of how far it is."""

    def __init__(self) -> None:
        self.packages, self.now = 0, "asking for the first packages"

    def read(self, line: str) -> None:
        """One line of pip."""
        words = line.split()
        if line.startswith("Collecting "):
            self.packages, self.now = self.packages + 1, f"looking at {words[1]}"
        elif words[:1] == ["Downloading"]:
            size = " ".join(words[2:]).strip("()")
            self.now = f"downloading {words[1].rpartition('/')[2]} {size}".strip()
        elif line.startswith("Building "):
            self.now = line.removesuffix("...").strip().lower()
        elif line.startswith("Installing collected packages: "):
            self.now = f"unpacking {len(words) - 3} packages, the last step"

    def told(self, seconds: float) -> str:
        """A line for people."""
        return f"  {int(seconds) // 60}:{int(seconds) % 60:02d}  {self.packages} packages found, {self.now}"


def main(arguments: Iterable[str]) -> int:
    """Run pip; returns its exit status."""
    command = [sys.executable, "-m", "pip", "install", "--progress-bar", "off", "--disable-pip-version-check"]
    pip = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True, errors="replace")
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        assert pip.stdout is not None
        for line in pip.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    progress, began = Progress(), time.monotonic()
    told = began
    while True:
        try:
            line = lines.get(timeout=max(0.0, told + EVERY - time.monotonic()))
        except queue.Empty:
            line = ""
        if line is None:
            break
        progress.read(line.strip())
        if time.monotonic() - told >= EVERY:
            told = time.monotonic()
            print(progress.told(told - began), flush=True)
    status = pip.wait()
    if status == 0:
        print(f"  installed in {int(time.monotonic() - began)} s", flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
