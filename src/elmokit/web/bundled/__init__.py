"""What a first `elmo serve` shows where nothing else is named: sentences to search, a study, static vectors.

The sentences were written for this project. `recipes/first_visit.py` makes the other two: the study is that of
docs/results/ag_news, the vectors are skip-gram over the text of `elmo-mini`.
"""

from pathlib import Path

_HOME = Path(__file__).parent
CORPUS = _HOME / "sentences.txt"
STUDY = _HOME / "study.json"
VECTORS = _HOME / "skipgram.bin.gz"
TITLES = {CORPUS: "everyday English", VECTORS: "skip-gram"}
"""What the page calls them."""
