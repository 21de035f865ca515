"""Get AG News, check it, and draw the rows of the course: into `runs/course/`.

    python course/get_data.py                   # downloads 31 MB
    python course/get_data.py --folder FOLDER   # takes train.csv[.gz] and test.csv[.gz] from a folder

The corpus of Gulli (2005) as Zhang, Zhao and LeCun (2015) prepared it: 120,000 training and 7,600 test rows of World,
Sports, Business and Sci/Tech. Its text may be used for research and other non-commercial purposes. 3,000 training and
2,000 test rows are drawn, the classes in equal shares, always the same ones (seed 1).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import io
import random
import sys
import urllib.request
from pathlib import Path

ADDRESS = "https://raw.githubusercontent.com/mhjabreel/CharCnn_Keras/master/data/ag_news_csv/"
SHA256 = {
    "train.csv": "76a0a2d2f92b286371fe4d4044640910a04a803fdd2538e0f3f29a5c6f6b672e",
    "test.csv": "521465c2428ed7f02f8d6db6ffdd4b5447c1c701962353eb2c40d548c3c85699",
}
CLASSES = ["World", "Sports", "Business", "Sci/Tech"]
ROWS = {"train.csv": 3000, "test.csv": 2000}


def main() -> None:
    """Get, check, draw, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, help="take the files from here instead of downloading them")
    parser.add_argument("--output", type=Path, default=Path("runs/course"))
    given = parser.parse_args()
    given.output.mkdir(parents=True, exist_ok=True)
    for name, rows in ROWS.items():
        content = downloaded(name) if given.folder is None else from_folder(given.folder, name)
        drawn = draw(list(csv.reader(io.StringIO(content.decode("utf-8")))), rows)
        write_csv(given.output / name, drawn)
        print(f"{given.output / name}: {len(drawn):,} rows")
        if name == "train.csv":
            text = "".join(" ".join(row[1:]) + "\n" for row in drawn)
            (given.output / "text.txt").write_text(text, encoding="utf-8")
    (given.output / "classes.txt").write_text("\n".join(CLASSES) + "\n", encoding="utf-8")


def downloaded(name: str) -> bytes:
    """A file of the corpus, its checksum compared."""
    print(f"downloading {ADDRESS}{name}")
    try:
        with urllib.request.urlopen(ADDRESS + name, timeout=60) as answer:
            content: bytes = answer.read()
    except OSError as error:
        sys.exit(f"error: {ADDRESS}{name} could not be read ({error}); get the files another way and give --folder")
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        sys.exit(f"error: {name} has the SHA-256 sum {found}; expected {SHA256[name]}")
    return content


def from_folder(folder: Path, name: str) -> bytes:
    """The same from a folder, plain or packed; a part of the corpus is taken, too, and said to be one."""
    plain, packed = folder / name, folder / f"{name}.gz"
    if not plain.is_file() and not packed.is_file():
        sys.exit(f"error: {folder} has neither {name} nor {name}.gz; leave out --folder to download them")
    content = plain.read_bytes() if plain.is_file() else gzip.decompress(packed.read_bytes())
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        print(f"note: {name} is not the whole published file: figures will differ a little from the course's table")
    return content


def draw(rows: list[list[str]], count: int) -> list[list[str]]:
    """`count` rows, the classes in equal shares, in mixed order."""
    chosen = random.Random(1)
    drawn = [
        row
        for number in range(1, len(CLASSES) + 1)
        for row in chosen.sample([row for row in rows if row[0] == str(number)], count // len(CLASSES))
    ]
    chosen.shuffle(drawn)
    return drawn


def write_csv(path: Path, rows: list[list[str]]) -> None:
    """Rows as they were, every field quoted."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    main()
