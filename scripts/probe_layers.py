"""What the layers of a model know: parts of speech, homographs, pseudo-words; a table for docs/results.md.

    python scripts/probe_layers.py MODEL [--json FILE]

Reads CoNLL-2000 in $ELMOKIT_DATA (words and their tags; train and test as they are) and, for pseudo-words, the words of
its training sentences and of the Brown corpus.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from elmokit import Encoder
from elmokit.analysis.probes import Probe, homograph_probe, pseudo_word_probe, tag_probe
from elmokit.text.conll import read_conll


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    data = os.environ.get("ELMOKIT_DATA")
    if not data:
        sys.exit("set ELMOKIT_DATA to the folder of the data sets: conll2000/ and brown/ are read")
    encoder = Encoder.from_pretrained(arguments.model)
    train, test = (
        [[(row[0], row[1]) for row in rows] for rows in read_conll(Path(data) / "conll2000" / f"{name}.txt.gz")]
        for name in ("train", "test")
    )
    with gzip.open(Path(data) / "brown" / "brown.txt.gz", "rt", encoding="utf-8") as file:
        brown = [line.rstrip("\n").partition("\t")[2].split() for line in file]
    probes = {
        "part of speech, linear probe (CoNLL-2000)": tag_probe(encoder, train, test),
        "homographs, nearest use (CoNLL-2000)": homograph_probe(encoder, train, test),
        "pseudo-words, nearest use (Brown)": pseudo_word_probe(encoder, brown),
    }
    layers = range(encoder.n_layers)
    print("| | cases | without vectors | " + " | ".join(f"layer {layer}" for layer in layers) + " |")
    print("|---" * (3 + len(layers)) + "|")
    for name, probe in probes.items():
        print(f"| {name} | {probe.count:,} | {probe.baseline:.3f} | {_row(probe)} |")
    if arguments.json:
        arguments.json.write_text(json.dumps({name: asdict(probe) for name, probe in probes.items()}, indent=2) + "\n")


def _row(probe: Probe) -> str:
    best = max(probe.accuracy)
    return " | ".join(f"**{score:.3f}**" if score == best else f"{score:.3f}" for score in probe.accuracy)


if __name__ == "__main__":
    main()
