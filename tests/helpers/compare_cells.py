"""A cell that other processes can import: it notes that it ran, or dies."""

from __future__ import annotations

import os

from elmokit.experiments.cells import Cell


class Noted(Cell):
    """Writes its name into the file `order`; ends its process when it is called "dies"."""

    def run(self) -> None:
        with (self.folder.parent / "order").open("a") as file:
            file.write(f"{self.label}\n")
        if self.label == "dies":
            os._exit(9)
        self.folder.mkdir()
        (self.folder / "cell.json").write_text("{}")
