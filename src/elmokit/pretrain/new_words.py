"""A softmax over other words that begins with what the old one knew.

A word of both vocabularies keeps its scores. A word of the new one alone gets those that words of its spelling have: a
ridge regression from the token layer, which knows nothing of a word but its characters, fitted on the words of both.
Then every bias is set so that, over some of the text, a word is as likely as it is frequent.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.nn.cross_entropy import rows_at_once
from elmokit.pretrain.corpus import Corpus
from elmokit.pretrain.stream import SentenceBatches
from elmokit.text.vocab import UNK_ID, Vocabulary
from elmokit.text.word_rows import WordRows

_RIDGE = 0.1  # a word, for standardised inputs; from 1e-4 to 1 it explains 13 to 14 % of held-out words' weights
_WORDS_AT_ONCE = 4096
_PREDICTIONS = 8192  # of each direction


@torch.no_grad()
def take_over_words(
    model: ElmoForPreTraining, corpus: Corpus, rows: WordRows, before: ElmoForPreTraining, words_before: Vocabulary
) -> int:
    """Set the softmax of `model`, over the words of `corpus`, from that of `before`; returns the words of both."""
    words = corpus.vocab
    batches = SentenceBatches(corpus, corpus.train, tokens=_PREDICTIONS, directions=model.config.directions)
    batch = next(batches.read(0))
    before.train(False)
    hidden = before.hidden(batch.chars, batch.index, batch.batch_sizes)[0].flatten(0, 1)
    weight, bias = before.head.scores(hidden)
    shared = torch.tensor([word in words_before for word in words.words])
    places = torch.tensor([words_before[word] for word in words.words])
    scores = torch.cat([weight, bias[:, None]], dim=1)[places]  # (V, H + 1)
    if not shared.all():
        parts = [words.words[first : first + _WORDS_AT_ONCE] for first in range(0, len(words), _WORDS_AT_ONCE)]
        tokens = torch.cat([before.elmo.token_vectors(torch.as_tensor(rows(part))) for part in parts])  # (V, P)
        tokens = (tokens - tokens[shared].mean(0)) / tokens[shared].std(0).clamp_min(1e-6)
        inputs, middle = tokens[shared], scores[shared].mean(0)
        products = inputs.T @ inputs + _RIDGE * len(inputs) * torch.eye(inputs.shape[1])
        slopes: Tensor = torch.linalg.solve(products, inputs.T @ (scores[shared] - middle))
        scores[~shared] = tokens[~shared] @ slopes + middle
    weight, bias = scores[:, :-1], scores[:, -1]
    # The bias with which, over the rows of `hidden`, a word is as likely as it is frequent among the targets.
    total = torch.zeros_like(bias)
    for part in torch.split(hidden, rows_at_once(len(weight))):
        total += functional.linear(part, weight, bias).softmax(1).sum(0)
    seen = (total / len(hidden)).clamp_min(1e-30)  # single precision ends at 1e-38
    counts = torch.tensor(words.counts, dtype=torch.float32)
    counts[:2] = len(corpus.train) / 2  # in either direction: half the ends of sentences are begins
    counts[UNK_ID] = corpus.info["train"]["n_unknown"]
    frequencies = (counts + 1) / (counts + 1).sum()
    model.head.start_from(weight, bias + frequencies.log() - seen.log(), hidden)
    return int(shared.sum())
