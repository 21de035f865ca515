"""How the cost of embedding grows: words per second by the size of the text and by the length of its sentences.

    python benchmarks/encode_growth.py [--shape mini] [--words 10000 100000 1000000] [--lengths 5 30 200] [--threads 2]

Random weights; made-up words whose frequencies follow Zipf's law, as many types as such a text has. The sizes have
sentences of 25 words, the lengths 100,000 words each. A rate is the best of three passes, of one pass from a million
words on; the encoder is new in each pass. Positions count the two markers of each sentence too, which cost as much as
words; the last column is the share of words that were new to the encoder.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
import torch

from elmokit import Encoder
from elmokit.machine import processor_name
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.nn.native.library import status


def made_up(words: int, length: int) -> list[list[str]]:
    """Sentences of `length` words."""
    random = np.random.default_rng(0)
    ranks = random.zipf(1.3, words) % 1_000_000
    text = [f"w{rank:x}" for rank in ranks.tolist()]
    return [text[start : start + length] for start in range(0, words, length)]


def rates(model: ElmoModel, sentences: list[list[str]], *, passes: int) -> Iterator[float]:
    words = sum(map(len, sentences))
    for _ in range(passes):
        encoder = Encoder(model)
        began = time.perf_counter()
        for _ in encoder.stream(sentences, is_split_into_words=True, layers="average"):
            pass
        yield words / (time.perf_counter() - began)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shape", default="mini")
    parser.add_argument("--words", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--lengths", type=int, nargs="+", default=[5, 30, 200])
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    model = ElmoModel(ElmoConfig.preset(arguments.shape)).eval()  # type: ignore[no-untyped-call]
    print(f"{arguments.shape}, {arguments.threads} threads, {processor_name()}; kernels: {status()}")
    cases = [(words, 25) for words in arguments.words] + [(100_000, length) for length in arguments.lengths]
    print(f"{'words':>10}{'per sentence':>14}{'words/s':>10}{'positions/s':>13}{'types/words':>13}")
    for words, length in cases:
        sentences = made_up(words, length)
        best = max(rates(model, sentences, passes=1 if words >= 1_000_000 else 3))
        types = len({word for sentence in sentences for word in sentence})
        print(f"{words:>10,}{length:>14}{best:>10,.0f}{best * (1 + 2 / length):>13,.0f}{types / words:>13.3f}")


if __name__ == "__main__":
    main()
