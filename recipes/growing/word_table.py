"""A new table of words for a trained model: the char CNN learns what spelling tells, the table holds the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from elmokit.errors import ConfigError
from elmokit.nn.token_encoders import WordCharEncoder
from elmokit.static.vectors import WordVectors
from elmokit.text.word_rows import WordByteRows, WordRows
from growing.spelling import AT_ONCE, Lesson, TeachingConfig, in_other_cases, teach

_AS_WRITTEN = 3_000  # most frequent words that have an entry in each case they are written in
_ZIPF = 2.7  # a word of rank r occurs about as often as 1 / (r + 2.7) says (Mandelbrot 1953)


@dataclass(frozen=True)
class Fit:
    """What a new table and char CNN miss of the token vectors they were made for: parts of their variance.

    Attributes:
        spelling: That the char CNN alone misses.
        table: That both miss of words in the table.
    """

    spelling: float
    table: float


def table_words(vectors: WordVectors, number: int) -> list[str]:
    """The most frequent words of static vectors, which have them in that order.

    Of words that differ only in case the most frequent one is taken, but for the very frequent ones: the others find
    its vector (`WordByteRows`), and there is room for words that a table of everything as written has not.
    """
    words = dict.fromkeys(vectors.words[:_AS_WRITTEN])
    folded = {word.casefold() for word in words}
    for word in vectors.words[_AS_WRITTEN:]:
        if word.casefold() not in folded:
            folded.add(word.casefold())
            words[word] = None
    return list(words)[:number]


@torch.no_grad()
def moved_vectors(trained: WordCharEncoder, reads: WordRows, vectors: WordVectors, *, share: float) -> Tensor:
    """(V, P) token vectors for the words of static vectors, closer to these than the trained model has them.

    A token vector is the sum of what the word's row of the table and its spelling give. The static vectors are turned
    and scaled, so that they come as close to the first parts as a rotation brings them (Schönemann 1966). Words of the
    trained table move by `share` of the way to their static vector, words that it lacks get theirs.

    Raises:
        ConfigError: No word has both.
    """
    table, matrix = trained.word_table, trained.projection.weight
    assert table is not None
    rows = torch.from_numpy(
        WordByteRows(reads.lexicon()["words"], max_characters=reads.max_characters, other_case=True)(vectors.words)
    )
    numbers = rows[:, 0].long()
    known = numbers > 0
    if not known.any():
        raise ConfigError("no word of the static vectors is in the table of the trained model: are they of its text?")
    parts = (table.weight @ matrix[:, : table.embedding_dim].T)[numbers].double()
    weights = weights_by_rank(len(rows))[:, None]
    static = torch.from_numpy(vectors.matrix).double()
    static = static - (weights[known] * static[known]).sum(0) / weights[known].sum()
    mean = (weights[known] * parts[known]).sum(0) / weights[known].sum()
    left, values, right = torch.linalg.svd(
        (weights[known] * static[known]).T @ (parts[known] - mean), full_matrices=False
    )
    turned = static @ left @ right
    turned = mean + turned * values.sum() / (weights[known] * turned[known].square()).sum()
    moved = torch.where(known[:, None], parts + share * (turned - parts), turned)
    rows[:, 0] = 0
    spelled = torch.cat([trained(each) for each in torch.split(rows, AT_ONCE)])
    return spelled + moved.float()


def fill(
    new: WordCharEncoder, trained: WordCharEncoder, words: Sequence[str], targets: Tensor, vectors: WordVectors,
    config: TeachingConfig,
) -> Fit:  # fmt: skip
    """Give a new token encoder the vectors of words.

    Its char CNN is that of the trained encoder and is taught the vectors from the spelling alone, which the words that
    no table has will need. What it misses of the words of the table goes there, as far as its size can hold.

    Args:
        new: Filled in place.
        trained: The encoder it comes from.
        words: The words of the new table.
        targets: (V, P) the vectors of the words of `vectors`.
        vectors: Whose words are taught.
        config: How long and how fast.
    """
    assert new.characters is not None
    assert new.word_table is not None
    size = new.word_table.embedding_dim
    spelling = WordCharEncoder(words=None, characters=new.characters, projection_dim=new.projection.out_features)
    old = trained.state_dict()
    own = old["projection.weight"].shape[1] - spelling.projection.in_features
    state = {name: weight for name, weight in old.items() if name.startswith("characters.")}
    state |= {"projection.weight": old["projection.weight"][:, own:], "projection.bias": old["projection.bias"]}
    spelling.load_state_dict(state)
    weights = weights_by_rank(len(targets))
    spelled, places = in_other_cases(vectors.words, weights.tolist())
    reads = WordByteRows({}, max_characters=new.characters.max_characters)
    rows = torch.from_numpy(reads(list(spelled)))
    drawn = torch.tensor(list(spelled.values()), dtype=torch.float32)
    missed = teach(spelling, Lesson(rows, targets[places], drawn), config)
    with torch.no_grad():
        chosen = torch.from_numpy(vectors.rows(list(words)))
        wanted, by_rank = targets[chosen].double(), weights[chosen][:, None]
        parts = torch.split(torch.from_numpy(reads(list(words))), AT_ONCE)
        left = wanted - torch.cat([spelling(part) for part in parts]).double()
        *_, axes = torch.linalg.svd(by_rank.sqrt() * left, full_matrices=False)
        axes = axes[:size]  # (size, P)
        held = left @ axes.T
        scale = held.square().mean().sqrt() / trained.state_dict()["words.embedding.weight"][1:].square().mean().sqrt()
        new.word_table.weight.zero_()
        new.word_table.weight[1:] = (held / scale).float()
        new.projection.weight[:] = torch.cat([(axes.T * scale).float(), spelling.projection.weight], dim=1)
        new.projection.bias[:] = spelling.projection.bias
        centre = (by_rank * wanted).sum(0) / by_rank.sum()
        lost = (by_rank * (left - held @ axes).square()).sum() / (by_rank * (wanted - centre).square()).sum()
    return Fit(missed, float(lost))


def weights_by_rank(number: int) -> Tensor:
    """(V,) the square roots of how often words occur that are listed by frequency."""
    return (torch.arange(number, dtype=torch.float64) + _ZIPF).rsqrt()
