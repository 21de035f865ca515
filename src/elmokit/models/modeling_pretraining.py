"""`ElmoForPreTraining`: a `LanguageNetwork` as transformers sees it."""

from __future__ import annotations

from torch import Tensor

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_elmo import ElmoPreTrainedModel
from elmokit.nn.bilm import BiLM, State
from elmokit.nn.language_network import LanguageModelOutput, LanguageNetwork
from elmokit.nn.network import ElmoNetwork
from elmokit.nn.softmax import SoftmaxHead


class ElmoForPreTraining(ElmoPreTrainedModel):  # type: ignore[no-untyped-call]
    """A biLM with one softmax shared by both directions (Peters et al. 2018, §3.1)."""

    network: LanguageNetwork
    elmo: ElmoNetwork
    head: SoftmaxHead

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__(config)
        self.wrap(LanguageNetwork(config))

    @property
    def bilm(self) -> BiLM:
        """See `LanguageNetwork.bilm`."""
        return self.network.bilm

    def hidden(
        self, chars: Tensor, index: Tensor, batch_sizes: list[int], *, state: State | None = None
    ) -> tuple[Tensor, State]:
        """See `LanguageNetwork.hidden`."""
        return self.network.hidden(chars, index, batch_sizes, state=state)

    def forward(
        self, chars: Tensor, index: Tensor, targets: Tensor, batch_sizes: list[int], state: State | None = None
    ) -> LanguageModelOutput:
        """Predict the next word of each packed position; see `LanguageNetwork.forward`."""
        found: LanguageModelOutput = self.network(chars, index, targets, batch_sizes, state)
        return found

    def log_probs(self, hidden: Tensor) -> Tensor:
        """(N, H) top-layer rows to log-probabilities (N, V)."""
        return self.network.log_probs(hidden)
