"""`QuestionAnsweringNetwork`: where in a passage the answer to a question begins and ends."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from elmokit.nn.attention import BidirectionalAttention, SelfAttention
from elmokit.nn.bilstm import BiLSTM
from elmokit.nn.dropout import Dropout
from elmokit.nn.heads.mixed import MixedNetwork, refuse_left_padding
from elmokit.nn.heads.shapes import QuestionAnsweringShape

IGNORED = -100
"""The position of an answer that does not stand in the passage, as in transformers."""
NO_ANSWER = -1
"""The position of the answer to a question that the passage does not answer."""


class Spans(NamedTuple):
    """The best span of each passage of a batch, in words.

    Attributes:
        start, end: (B,) its first and its last word.
        score: (B,) the sum of its two scores, comparable between passages of the same question.
        total: (B,) log of the sum of exp(score) over every pair of a start and an end: exp(score - total) is p(start)
            times p(end).
        no_answer: (B,) the score that there is no answer, comparable with `score`; the lowest number there is where the
            network always answers.
    """

    start: Tensor
    end: Tensor
    score: Tensor
    total: Tensor
    no_answer: Tensor


class SpanScores(NamedTuple):
    """Scores (B, P) of every word as start and as end, and the loss where positions were given.

    `no_answer` (B, 2) are the scores that no word is the start, and none the end, of a network that knows questions
    without an answer.
    """

    loss: Tensor | None
    start_logits: Tensor
    end_logits: Tensor
    no_answer: Tensor | None = None


class QuestionAnsweringNetwork(MixedNetwork):
    """A biLM, a layer mix and a reader on top: the model that Peters et al. (2018, §4) gave ELMo to.

    A BiLSTM reads passage and question, bidirectional attention joins them (Seo et al. 2017), the passage attends to
    itself (Clark & Gardner 2018; `config.self_attention`), and two BiLSTMs give each word its score as the start and as
    the end of the answer, the second knowing what the first found. `config.head_layers` counts the layers of the first
    of these two; all other BiLSTMs have one. Where the paper has GRUs, these are LSTMs.

    With `config.no_answer` start and end may also be none, as one more place in each softmax (Levy et al. 2017); its
    score is read from the maxima of the two BiLSTMs over the passage, so that it depends on passage and question.
    """

    config: QuestionAnsweringShape

    def __init__(self, config: QuestionAnsweringShape) -> None:
        super().__init__(config)
        hidden, both = config.head_hidden_dim, 2 * config.head_hidden_dim
        self.dropout = Dropout(config.head_dropout)
        self.reader = BiLSTM(input_dim=self.word_dim, hidden_dim=hidden, n_layers=1)
        self.attention = BidirectionalAttention(both)
        self.join = nn.Linear(4 * both, both)
        self.self_reader = self.self_attention = self.self_join = None
        if config.self_attention:
            self.self_reader = BiLSTM(input_dim=both, hidden_dim=hidden, n_layers=1)
            self.self_attention = SelfAttention(both)
            self.self_join = nn.Linear(3 * both, both)
        self.start_reader = BiLSTM(
            input_dim=both, hidden_dim=hidden, n_layers=config.head_layers, dropout=config.head_dropout
        )
        self.end_reader = BiLSTM(input_dim=2 * both, hidden_dim=hidden, n_layers=1)
        self.start_output = nn.Linear(both, 1)
        self.end_output = nn.Linear(both, 1)
        self.no_start = nn.Linear(both, 1) if config.no_answer else None
        self.no_end = nn.Linear(both, 1) if config.no_answer else None

    def forward(
        self,
        char_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        layers: Tensor | None = None,
        static_ids: Tensor | None = None,
        question_char_ids: Tensor | None = None,
        question_attention_mask: Tensor | None = None,
        question_layers: Tensor | None = None,
        question_static_ids: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
    ) -> SpanScores:
        """Scores (B, P) of every word of the passage as start and as end, and the loss where positions are given.

        Args:
            char_ids: (B, P, L) the passages as from `ElmoTokenizer`, padded at the right.
            attention_mask: (B, P), 1 where a word stands; needed with `layers`.
            layers: (B, n_layers + 1, P, 2P'), token layer first: used instead of `char_ids`.
            static_ids: (B, P) with `layers`, in a model with static vectors: their numbers, 0 for unknown words.
            question_char_ids, question_attention_mask, question_layers, question_static_ids: The questions, likewise,
                with Q words.
            start_positions, end_positions: (B,) first and last word of the answer; -100 where it does not stand in the
                passage, which then does not count; -1, with `config.no_answer`, where there is none.

        Returns:
            Scores before the softmax, the lowest number there is in the padding. The loss is the sum of the two cross
            entropies, averaged over passages with an answer.

        Raises:
            ValueError: Wrong inputs, padding at the left, or positions outside of the passage.
        """
        passage, mask = self._words(char_ids, attention_mask, layers, static_ids)
        question, question_mask = self._words(
            question_char_ids, question_attention_mask, question_layers, question_static_ids
        )
        start, end, none = self._scores(passage, mask, question, question_mask)
        loss = None
        if start_positions is not None and end_positions is not None:
            no_start, no_end = (None, None) if none is None else none.unbind(dim=1)
            loss = _loss(start, start_positions, mask, no_start) + _loss(end, end_positions, mask, no_end)
            loss = loss + self.mix.penalty()
        return SpanScores(loss=loss, start_logits=start, end_logits=end, no_answer=none)

    def _words(
        self, char_ids: Tensor | None, mask: Tensor | None, layers: Tensor | None, static_ids: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """States (B, W, 2H) of the BiLSTM that reads passages and questions alike, and the mask (B, W)."""
        words, mask = self.mixed(char_ids, mask, layers, static_ids)
        refuse_left_padding(mask)
        states, _ = self.reader(self.dropout(words), mask.sum(dim=1).tolist())
        return states, mask

    def _scores(
        self, passage: Tensor, mask: Tensor, question: Tensor, question_mask: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        lengths = mask.sum(dim=1).tolist()
        joined = self.attention(self.dropout(passage), self.dropout(question), mask, question_mask)
        words = torch.relu(self.join(joined))
        if self.self_reader is not None and self.self_attention is not None and self.self_join is not None:
            states, _ = self.self_reader(self.dropout(words), lengths)
            words = words + torch.relu(self.self_join(self.self_attention(self.dropout(states), mask)))
        words = self.dropout(words)
        starts, _ = self.start_reader(words, lengths)
        ends, _ = self.end_reader(torch.cat([words, self.dropout(starts)], dim=2), lengths)
        lowest = torch.finfo(words.dtype).min
        start = self.start_output(self.dropout(starts)).squeeze(2).masked_fill(~mask, lowest)
        end = self.end_output(self.dropout(ends)).squeeze(2).masked_fill(~mask, lowest)
        if self.no_start is None or self.no_end is None:
            return start, end, None
        real = mask.unsqueeze(2)
        pooled = [states.masked_fill(~real, lowest).amax(dim=1) for states in (starts, ends)]  # (B, 2H) each
        none = torch.cat([self.no_start(self.dropout(pooled[0])), self.no_end(self.dropout(pooled[1]))], dim=1)
        return start, end, none

    @torch.no_grad()
    def decode(self, *, max_answer_words: int, **inputs: Tensor) -> Spans:
        """The best span of each passage; `inputs` as those of `forward`, without positions."""
        found: SpanScores = self(**inputs)
        return best_spans(
            found.start_logits.float(),
            found.end_logits.float(),
            max_answer_words=max_answer_words,
            no_answer=None if found.no_answer is None else found.no_answer.float(),
        )


def best_spans(start: Tensor, end: Tensor, *, max_answer_words: int, no_answer: Tensor | None = None) -> Spans:
    """The span of the highest start + end that has `max_answer_words` words at most; of equal ones the first, shortest.

    Exact, by looking at every such span once.

    Args:
        start, end: (B, P) scores, the lowest number there is in the padding; P is at least 1.
        max_answer_words: At least 1.
        no_answer: (B, 2) scores that there is no start, and no end.
    """
    width = min(max_answer_words, start.shape[1])
    beyond = functional.pad(end, (0, width - 1), value=torch.finfo(end.dtype).min)
    spans = start.unsqueeze(2) + beyond.unfold(1, width, 1)  # (B, P, width): start s, s + w its last word
    score, best = spans.flatten(1).max(dim=1)
    first = best // width
    none = torch.full_like(score, torch.finfo(score.dtype).min) if no_answer is None else no_answer.sum(dim=1)
    if no_answer is not None:
        start, end = torch.cat([start, no_answer[:, :1]], dim=1), torch.cat([end, no_answer[:, 1:]], dim=1)
    total = start.logsumexp(dim=1) + end.logsumexp(dim=1)
    return Spans(start=first, end=first + best % width, score=score, total=total, no_answer=none)


def _loss(scores: Tensor, positions: Tensor, mask: Tensor, no_answer: Tensor | None = None) -> Tensor:
    """Mean cross entropy of the positions that are in the passage, or none; `no_answer` (B,) is the score of that."""
    known = positions != IGNORED
    least = 0 if no_answer is None else NO_ANSWER
    if bool((known & ((positions < least) | (positions >= mask.sum(dim=1)))).any()):
        raise ValueError(f"An answer lies outside of its passage; expected a word of it, or {IGNORED} for none.")
    if no_answer is not None:
        positions = positions.where(positions != NO_ANSWER, scores.shape[1])
        scores = torch.cat([scores, no_answer.unsqueeze(1)], dim=1)
    summed = functional.cross_entropy(scores.float(), positions, ignore_index=IGNORED, reduction="sum")
    return summed / known.sum().clamp_min(1)
