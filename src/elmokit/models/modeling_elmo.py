"""`ElmoModel`: an `ElmoNetwork` as transformers sees it, and what all models of ours share."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils.generic import ModelOutput

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.nn.bilm import BiLM
from elmokit.nn.network import ElmoNetwork
from elmokit.nn.token_encoder import TokenEncoder
from elmokit.whole_files import share_weights

_Network = TypeVar("_Network", bound=nn.Module)


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
    """Loading, saving and initialisation for every model with a biLM inside.

    Each has its `network`, a plain module, and the very weights of it under the same names: what is loaded, moved or
    trained in one is so in the other.
    """

    config_class = ElmoConfig
    config: ElmoConfig
    network: nn.Module
    base_model_prefix = "elmo"
    main_input_name = "char_ids"
    accepts_loss_kwargs = False
    # Heads of the sibling models may lie in the same file.
    _keys_to_ignore_on_load_unexpected = [  # noqa: RUF012 (declared by the base)
        r"^(head|mix|classifier|lstm|crf|decoder)\.",
        r"^(reader|attention|join|self_(reader|attention|join)|(start|end)_(reader|output))\.",
    ]

    def wrap(self, network: _Network) -> _Network:
        """Have the modules, parameters and buffers of `network` as one's own."""
        self.__dict__["network"] = network  # not as a submodule: names of weights would begin with `network.`
        for registry in ("_modules", "_parameters", "_buffers", "_non_persistent_buffers_set"):
            self.__dict__[registry] = network.__dict__[registry]
        self.post_init()  # type: ignore[no-untyped-call]
        return network

    def train(self, mode: bool = True) -> Self:
        """As in PyTorch."""
        super().train(mode)
        self.network.train(mode)
        return self

    def save_pretrained(self, save_directory: str | PathLike[str], *args: Any, **kwargs: Any) -> None:
        """See `transformers.PreTrainedModel`; everybody whom the umask lets can read the weights."""
        super().save_pretrained(save_directory, *args, **kwargs)
        if Path(save_directory).is_dir():
            share_weights(Path(save_directory))

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoModel") -> None:
        """Nothing: transformers would copy this module into every folder that is saved afterwards."""

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
        tensors = [*module.parameters(), *module.buffers()]
        loaded = [tensor for tensor in tensors if getattr(tensor, "_is_hf_initialized", False)]
        reset = getattr(module, "reset_parameters", None)
        if not callable(reset) or len(loaded) == len(tensors):
            return
        kept = [tensor.clone() for tensor in loaded]
        reset()
        for tensor, value in zip(loaded, kept, strict=True):
            tensor.copy_(value)
        for tensor in tensors:
            setattr(tensor, "_is_hf_initialized", True)  # noqa: B010 (a mark of transformers, unknown to type checkers)

    def get_input_embeddings(self) -> nn.Module:
        """The table of characters, or of words in a word-level model."""
        found: nn.Module = self.elmo.token_encoder.embedding  # type: ignore[union-attr,assignment]
        return found

    @property
    def dummy_inputs(self) -> dict[str, Tensor]:
        """One sentence of one (empty) word, for tools that trace a model."""
        return {"char_ids": torch.ones(1, 1, self.config.row_width, dtype=torch.long)}

    def estimate_tokens(self, input_dict: dict[str, Any]) -> int:
        """Words in a batch; `Trainer` counts its floating-point operations by it."""
        mask = input_dict.get("attention_mask")
        return 0 if mask is None else int(mask.sum())


class ElmoModel(ElmoPreTrainedModel):  # type: ignore[no-untyped-call]
    """The token encoder and the biLM, without a head. See `ElmoNetwork` for everything but the output."""

    network: ElmoNetwork
    token_encoder: TokenEncoder
    bilm: BiLM

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__(config)
        self.wrap(ElmoNetwork(config))

    def get_input_embeddings(self) -> nn.Module:
        """The table of characters, or of words in a word-level model."""
        return self.network.token_encoder.embedding

    def token_vectors(self, rows: Tensor) -> Tensor:
        """See `ElmoNetwork.token_vectors`."""
        return self.network.token_vectors(rows)

    def forward(
        self,
        char_ids: Tensor,
        attention_mask: Tensor | None = None,
        *,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> ElmoModelOutput:
        """Every layer for every word; arguments as of `ElmoNetwork.forward`, and two that models of transformers have.

        `output_hidden_states=False` leaves the layers out of the result, `return_dict=False` gives a tuple.
        """
        hidden, mask = self.network(char_ids, attention_mask)
        shown = None if output_hidden_states is False else hidden
        output = ElmoModelOutput(last_hidden_state=hidden[-1], hidden_states=shown, mask=mask)
        return output.to_tuple() if return_dict is False else output  # type: ignore[return-value]
