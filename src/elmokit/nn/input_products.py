"""The input products of an LSTM's steps in inference: some steps at a time, and each word once."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor

from elmokit.nn.packed_product import product_of

_NUMBERS = 1 << 20  # 4 MB in float32, a few steps of the largest published model
_NUMBERS_OF_WORDS = 1 << 21  # where equal rows are known: the more rows there are, the fewer of them are different
_ROWS_PER_WORD = 8  # on average, at most


class InputProducts:
    """x (N, I) · weight (4C, I)ᵀ for one step after the other, from memory for a few of them.

    Rows with the same number in ``words`` (N,) are equal: they are multiplied once for all steps that are in memory. In
    2,000 words of English text there are about 900 different ones.

    Args:
        bias: (4C,), added to the products, or None.
    """

    def __init__(
        self, x: Tensor, weight: Tensor, words: Tensor | None, batch_sizes: Sequence[int], *, bias: Tensor | None
    ) -> None:
        numbers = _NUMBERS if words is None else _NUMBERS_OF_WORDS
        self._x, self._words, self._bias = x, words, bias
        self._stops = list(accumulate(batch_sizes))
        self._most = max(*batch_sizes[:1], min(len(x), numbers // len(weight)), 1)  # rows, or different rows
        self._before = None
        if words is not None:  # (N,) the last place before each with the same number, −1 where there is none
            order = words.argsort(stable=True)
            same = words[order[1:]] == words[order[:-1]]
            self._before = torch.full_like(words, -1)
            self._before[order[1:]] = torch.where(same, order[:-1], -1)
        room = x.new_empty(self._most, len(weight))
        self._multiply = product_of(weight, x, calls=len(x) // self._most, room=room)
        self._first = self._filled = 0  # rows whose products are in memory
        self._products, self._places = x, words

    def of_step(self, start: int, stop: int) -> tuple[Tensor, Tensor | None]:
        """The products of rows `start` to `stop`: a matrix, and which of its rows they are (None: all, in order)."""
        if stop > self._filled:
            end = start + self._most
            if self._before is not None:
                # The end of the longest stretch with at most so many different numbers, as far as one looks.
                new = (self._before[start : start + _ROWS_PER_WORD * self._most] < start).cumsum(0)
                end = start + int(torch.searchsorted(new, self._most, right=True))
            self._first, self._filled = start, self._stops[bisect_right(self._stops, end) - 1]  # whole steps only
            rows = self._x[start : self._filled]
            if self._words is not None:  # the different ones among the rows, and which of them each is
                numbers, self._places = torch.unique(self._words[start : self._filled], return_inverse=True)
                example = torch.empty_like(numbers)
                example[self._places] = torch.arange(len(rows), device=rows.device)
                rows = rows[example]
            self._products = self._x  # which frees those before
            self._products = self._multiply(rows)
            if self._bias is not None:
                self._products += self._bias
        here = slice(start - self._first, stop - self._first)
        return (self._products[here], None) if self._places is None else (self._products, self._places[here])
