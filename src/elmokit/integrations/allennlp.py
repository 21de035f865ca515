"""The surface of AllenNLP's ELMo: `Elmo` and `batch_to_ids`, so that models of that time run with one import changed.

    from elmokit.integrations.allennlp import Elmo, batch_to_ids  # was: from allennlp.modules.elmo import …

Arguments, shapes and defaults are AllenNLP's, and so is its habit of carrying the LSTM state from call to call.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn

from elmokit.errors import ConfigError, ModelError
from elmokit.interop.loading import load
from elmokit.nn.bilm import CarriedState, State
from elmokit.nn.distinct import distinct_rows
from elmokit.nn.layer_mix import LayerMix
from elmokit.nn.network import ElmoNetwork
from elmokit.text.char_ids import BOS, EOS, N_CHARACTERS, char_ids, marker_char_ids

Start = Literal["zero", "warm", "carry"]


def batch_to_ids(batch: Sequence[Sequence[str]]) -> Tensor:
    """Sentences as lists of words to character ids (sentences, words, 50), rows of 0 in the padding.

    Raises:
        ValueError: A sentence is a text, or a word is empty.
    """
    for number, words in enumerate(batch):
        if isinstance(words, str):
            raise ValueError(f"Expected sentences as lists of words; sentence {number} is the text {words[:40]!r}.")
        if "" in words:
            raise ValueError(
                f"Sentence {number} has an empty word at place {list(words).index('')}: leave out what only pads, the "
                "shorter sentences of a batch are padded here."
            )
    longest = max(map(len, batch), default=0)
    ids = np.zeros((len(batch), longest, 50), dtype=np.int64)
    markers = dict(zip((BOS, EOS), marker_char_ids(), strict=True))
    for row, words in zip(ids, batch, strict=True):
        if words:
            row[: len(words)] = char_ids(words)
        for place, word in enumerate(words):
            if word in markers:
                row[place] = markers[word]
    return torch.from_numpy(ids)


class Elmo(nn.Module):
    """Weighted layers of a biLM as a module of one's own network.

    Args:
        options_file: The options of a published model; or any model that `elmokit.Encoder` loads, with
            `weight_file=None`.
        weight_file: Its weights.
        num_output_representations: How many mixes, each with weights of its own.
        requires_grad: Whether the biLM learns too.
        do_layer_norm: Normalise each layer over all words of the batch before mixing.
        dropout: On the representations.
        vocab_to_cache: Taken and not needed: every distinct word of a batch goes through the char CNN once anyway.
        keep_sentence_boundaries: Leave the two sentence markers in the result.
        scalar_mix_parameters: Given (before their softmax), they are not trained.
        state: "carry" as AllenNLP: a call continues where the one before ended, batch row by batch row, which makes the
            vectors depend on what was seen before. "zero" and "warm" start every sentence alike.

    Raises:
        ModelError: The files are missing, damaged, or do not fit.
    """

    def __init__(
        self,
        options_file: str | Path,
        weight_file: str | Path | None = None,
        num_output_representations: int = 1,
        requires_grad: bool = False,
        do_layer_norm: bool = False,
        dropout: float = 0.5,
        vocab_to_cache: Sequence[str] | None = None,
        keep_sentence_boundaries: bool = False,
        scalar_mix_parameters: Sequence[float] | None = None,
        *,
        state: Start = "carry",
    ) -> None:
        super().__init__()
        if state not in ("zero", "warm", "carry"):
            raise ConfigError(f"Unknown state {state!r}. Expected 'zero', 'warm' or 'carry'.")
        if weight_file is None:
            found = load(options_file, warm=state == "warm")
        else:
            found = load(weight_file, options=options_file, warm=state == "warm")
        self.bilm: ElmoNetwork = found.model
        self.bilm.bilm.dropout.p = 0.0  # AllenNLP's biLM has none of its own
        self.requires_grad = requires_grad
        self.bilm.requires_grad_(requires_grad)
        if self.bilm.config.warm_state:
            self.bilm.warm_h.requires_grad_(False)
            self.bilm.warm_c.requires_grad_(False)
        self.state: Start = state
        self.keep_sentence_boundaries = keep_sentence_boundaries
        self.dropout = nn.Dropout(dropout)
        layers = self.bilm.config.n_layers + 1
        self.mixes = nn.ModuleList(
            LayerMix("trainable", n_layers=layers, dim=self.get_output_dim(), do_layer_norm=do_layer_norm)
            for _ in range(num_output_representations)
        )
        if scalar_mix_parameters is not None:
            if len(scalar_mix_parameters) != layers:
                raise ConfigError(f"Got {len(scalar_mix_parameters)} scalar mix parameters; expected {layers}.")
            self.mixes.requires_grad_(False)
            for mix in cast("Iterable[LayerMix]", self.mixes):
                mix.w.copy_(torch.tensor(scalar_mix_parameters))
        self._carried = CarriedState()
        self.register_load_state_dict_pre_hook(_read_allennlp_names)  # type: ignore[no-untyped-call]

    def get_output_dim(self) -> int:
        """Size of a vector."""
        return self.bilm.config.hidden_size

    def reset_state(self) -> None:
        """Forget what was carried."""
        self._carried.reset()

    def forward(self, inputs: Tensor, word_inputs: Tensor | None = None) -> dict[str, list[Tensor] | Tensor]:
        """inputs (…, T, 50) as from `batch_to_ids`; `word_inputs` is taken and not needed.

        Returns:
            `elmo_representations`, a list of (…, T, dim), and `mask` (…, T), true where a word stands; T has two more
            places with `keep_sentence_boundaries`.

        Raises:
            ValueError: `inputs` are no character ids.
        """
        width = self.bilm.config.row_width
        if inputs.ndim >= 3 and inputs.shape[-1] != width:
            reads = "a table of words next to their letters" if self.bilm.config.n_words else f"rows of {width} numbers"
            raise ValueError(
                f"this model reads {reads}, {width} numbers a word, and batch_to_ids gives {inputs.shape[-1]} letters: "
                "make the rows with the model's own ElmoTokenizer.from_pretrained, or use elmokit.Encoder."
            )
        letters = not self.bilm.config.kind.needs_lexicon and inputs.numel() > 0
        if inputs.ndim < 3 or (letters and (int(inputs.min()) < 0 or int(inputs.max()) >= N_CHARACTERS)):
            raise ValueError(
                f"inputs of shape {tuple(inputs.shape)} are not character ids, (…, words, 50) from 0 to 261: make them "
                "with batch_to_ids."
            )
        outer = inputs.shape[:-2]
        inputs = inputs.reshape(-1, *inputs.shape[-2:])  # (B, T, 50)
        mask = (inputs > 0).any(dim=2)
        counts = mask.sum(dim=1)
        batch, time = mask.shape
        rows = torch.cat([self.bilm.marker_rows().to(inputs), inputs[mask]])
        picks, inverse = distinct_rows(rows)
        index = inverse[0].repeat(batch, time + 2)
        places = torch.arange(time + 2, device=inputs.device).expand(batch, -1)
        index[(places >= 1) & (places <= counts[:, None])] = inverse[2:]
        index[places == counts[:, None] + 1] = inverse[1]
        with torch.set_grad_enabled(self.requires_grad and torch.is_grad_enabled()):
            table = self.bilm.token_vectors(rows[picks])
            layers, final = self.bilm.run(table, index, (counts + 2).tolist(), state=self._start(batch))
        if self.state == "carry":
            self._carried.keep(final)
        whole = places < counts[:, None] + 2
        mixed = [self.dropout(mix(layers, whole)) for mix in self.mixes]
        if not self.keep_sentence_boundaries:
            mixed = [each[:, 1:-1].masked_fill(~mask.unsqueeze(2), 0.0) for each in mixed]
            whole = mask
        return {
            "elmo_representations": [each.view(*outer, *each.shape[1:]) for each in mixed],
            "mask": whole.view(*outer, whole.shape[1]),
        }

    def _start(self, batch: int) -> State:
        if self.state == "warm":
            return self.bilm.initial_state(batch)
        zero = self.bilm.bilm.zero_state(batch)
        return self._carried.start(zero) if self.state == "carry" else zero


def _read_allennlp_names(module: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Checkpoints of AllenNLP's `Elmo`: `scalar_mix_0.gamma` and `scalar_mix_0.scalar_parameters.0` become the mix's.

    The biLM's own weights are those of the published files in any case, unless it was fine-tuned.

    Raises:
        ModelError: A mix of another number of layers, or a biLM that was fine-tuned.
    """
    elmo = cast(Elmo, module)
    old = [name for name in state if name.startswith((f"{prefix}scalar_mix_", f"{prefix}_elmo_lstm."))]
    if not old:
        return
    if elmo.requires_grad and any(name.startswith(f"{prefix}_elmo_lstm.") for name in old):
        raise ModelError(
            "the checkpoint contains a biLM that AllenNLP fine-tuned: write it as options.json and weights.hdf5 there "
            "first (bilm-tf's dump_weights has the names), or load with requires_grad=False to take the published one"
        )
    taken = {name.removeprefix(prefix): state.pop(name) for name in old}
    for name, tensor in elmo.bilm.state_dict().items():
        state.setdefault(f"{prefix}bilm.{name}", tensor)
    for number, mix in enumerate(cast("Iterable[LayerMix]", elmo.mixes)):
        own = f"scalar_mix_{number}."
        weights = [name for name in taken if name.startswith(f"{own}scalar_parameters.")]
        if len(weights) != len(mix.w) or f"{own}gamma" not in taken:
            raise ModelError(
                f"the checkpoint has {len(weights)} weights in {prefix}{own}scalar_parameters; this model mixes "
                f"{len(mix.w)} layers"
            )
        ordered = [taken[f"{own}scalar_parameters.{layer}"].reshape(1) for layer in range(len(weights))]
        state[f"{prefix}mixes.{number}.w"] = torch.cat(ordered)
        state[f"{prefix}mixes.{number}.gamma"] = taken[f"{own}gamma"].reshape(())
        state[f"{prefix}mixes.{number}.scale"] = torch.ones(())
