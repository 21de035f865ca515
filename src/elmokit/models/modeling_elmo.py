"""`ElmoModel`: characters in, every layer of the biLM out (Peters et al. 2018)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.utils.generic import ModelOutput

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.distinct import distinct_rows
from elmokit.nn.bilm import State
from elmokit.nn.config import NetworkConfig
from elmokit.nn.network import build_bilm, build_token_encoder, spread_state
from elmokit.nn.precision import multiplies
from elmokit.text.char_ids import marker_char_ids


@dataclass
class ElmoModelOutput(ModelOutput):
    """What `ElmoModel` returns: words only, the sentence markers are off again; padding is zero.

    Args:
        last_hidden_state (`Tensor`): (B, W, 2P), the top layer.
        hidden_states (`tuple[Tensor, ...]`): n_layers + 1 of (B, W, 2P): layer 0 is the token vector, once a direction.
        mask (`Tensor`): (B, W) bool, true where a word stands.
    """

    last_hidden_state: Tensor | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    mask: Tensor | None = None


class ElmoPreTrainedModel(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Loading, saving and initialisation for every model with a biLM inside."""

    config_class = ElmoConfig
    config: ElmoConfig
    base_model_prefix = "elmo"
    main_input_name = "char_ids"
    accepts_loss_kwargs = False
    # Heads of the sibling models may lie in the same file.
    _keys_to_ignore_on_load_unexpected = [  # noqa: RUF012 (declared by the base)
        r"^(head|mix|classifier|lstm|crf|decoder)\.",
        r"^(reader|attention|join|self_(reader|attention|join)|(start|end)_(reader|output))\.",
    ]

    def init_weights(self) -> None:
        """Nothing to draw: the constructors of our modules have done it by the reference's recipe."""
        self.tie_weights(recompute_mapping=False)

    @torch.no_grad()
    def initialize_weights(self) -> None:
        """After loading: draw what the file did not hold, each module by its own recipe, loaded tensors untouched.

        transformers' own default would draw everything from N(0, 0.02) and lose the forget bias.
        """
        for module in self.modules():  # parents come first, and know best
            self._init_weights(module)

    def _init_weights(self, module: nn.Module) -> None:
        if callable(reset := getattr(module, "reset_parameters", None)):
            _draw_missing(module, reset)

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """One sentence of one (empty) word, for tools that trace a model."""
        return {"char_ids": torch.ones(1, 1, self.config.row_width, dtype=torch.long)}

    def estimate_tokens(self, input_dict: dict[str, Any]) -> int:
        """Words in a batch; `Trainer` counts its floating-point operations by it."""
        mask = input_dict.get("attention_mask")
        return 0 if mask is None else int(mask.sum())


def _draw_missing(module: nn.Module, reset: Callable[[], None]) -> None:
    tensors = [*module.parameters(), *module.buffers()]
    loaded = [tensor for tensor in tensors if getattr(tensor, "_is_hf_initialized", False)]
    if len(loaded) == len(tensors):
        return
    kept = [tensor.clone() for tensor in loaded]
    reset()
    for tensor, value in zip(loaded, kept, strict=True):
        tensor.copy_(value)
    for tensor in tensors:
        setattr(tensor, "_is_hf_initialized", True)  # noqa: B010 (a mark of transformers, unknown to type checkers)


class ElmoModel(ElmoPreTrainedModel):  # type: ignore[no-untyped-call]
    """The char CNN and the biLM, without a head."""

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__(config)
        shape = NetworkConfig.of(config)
        self.token_encoder = build_token_encoder(shape)
        self.bilm = build_bilm(shape)
        if config.warm_state:
            sizes = (config.n_layers, config.directions)
            self.warm_h = nn.Parameter(torch.zeros(*sizes, self.bilm.output_dim), requires_grad=False)
            self.warm_c = nn.Parameter(torch.zeros(*sizes, config.cell_dim), requires_grad=False)
        self.post_init()  # type: ignore[no-untyped-call]

    def get_input_embeddings(self) -> nn.Module:
        """The table of characters, or of words in a word-level model."""
        return self.token_encoder.embedding

    def token_vectors(self, rows: Tensor) -> Tensor:
        """Rows of words (U, L), as the model's `WordRows` makes them, to their context-free vectors (U, P)."""
        vectors: Tensor
        if torch.is_grad_enabled() or multiplies(self.dtype, self.device.type):
            vectors = self.token_encoder(rows)
        else:  # the weights are only stored in this type: computed in float32
            wide = {name: weight.float() for name, weight in self.token_encoder.named_parameters()}
            vectors = functional_call(self.token_encoder, wide, (rows,)).to(self.dtype)
        return vectors

    def marker_rows(self) -> Tensor:
        """(2, L): the rows of the begin and the end of a sentence."""
        if self.config.marker_rows is not None:
            return torch.tensor(self.config.marker_rows, device=self.device)
        rows = [[1], [2]] if self.config.token_encoder == "word" else marker_char_ids(self.config.row_width)
        return torch.as_tensor(rows, device=self.device)

    def initial_state(self, batch: int) -> State:
        """Where sentences start: the warm state that the model holds, or zero."""
        if not self.config.warm_state:
            return self.bilm.zero_state(batch)
        return spread_state(self.warm_h, self.warm_c, batch)

    def run(
        self, words: Tensor, index: Tensor, lengths: Sequence[int], *, state: State | None = None
    ) -> tuple[list[Tensor], State]:
        """The biLM over sentences given as rows of a table of words.

        Args:
            words: (U, P) from `token_vectors`.
            index: (B, T) row of `words` at each position, markers included; anything in the padding.
            lengths: Positions of each sentence, markers included.
            state: Where the LSTMs start; `initial_state` by default.

        Returns:
            n_layers + 1 of (B, T, 2P), the padding of the LSTM layers zero, and the states after each sentence.
        """
        tokens = functional.embedding(index, words)  # (B, T, P); its gradient is summed a word at a time
        start = self.initial_state(len(lengths)) if state is None else state
        outputs, final = self.bilm(tokens, lengths, state=start)
        return [torch.cat([tokens] * self.config.directions, dim=2), *outputs], final

    def forward(self, char_ids: Tensor, attention_mask: Tensor | None = None) -> ElmoModelOutput:
        """Every layer for every word.

        Args:
            char_ids: (B, W, L) as from `ElmoTokenizer`, rows of 0 in the padding; no sentence markers. (Of a model that
                looks words up the rows hold word numbers, see `elmokit.text.word_rows`.)
            attention_mask: (B, W), 1 where a word stands. Default: where any character id is above 0.

        Raises:
            ValueError: `char_ids` is not (B, W, row_width), or the mask is not (B, W).
        """
        _check_shape(char_ids, self.config.row_width)
        mask = (char_ids > 0).any(dim=2) if attention_mask is None else attention_mask.bool()
        if mask.shape != char_ids.shape[:2]:
            raise ValueError(
                f"attention_mask is {tuple(mask.shape)}; expected {tuple(char_ids.shape[:2])}, as char_ids."
            )
        markers = self.marker_rows().to(char_ids)
        rows = torch.cat([markers, char_ids[mask]])  # (2 + N, L)
        picks, inverse = distinct_rows(rows)
        words = self.token_vectors(rows[picks])  # (U, P)
        index, lengths, places = _with_markers(inverse, mask)
        layers, _ = self.run(words, index, lengths)
        hidden = tuple(_take_words(layer, places, mask) for layer in layers)
        return ElmoModelOutput(last_hidden_state=hidden[-1], hidden_states=hidden, mask=mask)


def _check_shape(char_ids: Tensor, width: int) -> None:
    if char_ids.ndim != 3 or char_ids.shape[2] != width:
        raise ValueError(
            f"char_ids is {tuple(char_ids.shape)}; expected (sentences, words, {width}): "
            f"use the tokenizer of this model (for characters: max_characters={width})."
        )


def _with_markers(inverse: Tensor, mask: Tensor) -> tuple[Tensor, list[int], Tensor]:
    """Distinct-word numbers of <S>, </S> and all words to `index` (B, T), lengths, and where the words stand in it."""
    batch = len(mask)
    counts = mask.sum(dim=1)  # (B,)
    time = int(counts.max()) + 2 if batch else 2
    sentence = mask.nonzero()[:, 0]  # (N,) of each word
    rank = torch.arange(len(sentence), device=mask.device) - (counts.cumsum(0) - counts)[sentence]
    places = sentence * time + rank + 1  # (N,) in the flattened (B, T)
    index = inverse[1].expand(batch, time).clone()  # </S> everywhere: behind the words, and harmless in the padding
    index[:, 0] = inverse[0]
    index.view(-1)[places] = inverse[2:]
    return index, (counts + 2).tolist(), places


def _take_words(layer: Tensor, places: Tensor, mask: Tensor) -> Tensor:
    """(B, T, D) with markers to (B, W, D) without, zero in the padding."""
    words = layer.flatten(0, 1)[places]  # (N, D)
    rows = layer.new_zeros(mask.numel(), layer.shape[2])
    return rows.index_copy(0, mask.flatten().nonzero()[:, 0], words).view(*mask.shape, layer.shape[2])
