"""`ElmoForSequenceClassification`: one label (or value) a text, as transformers sees it."""

from __future__ import annotations

from torch import Tensor
from transformers.modeling_outputs import SequenceClassifierOutput

from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_mixed import ElmoMixedModel
from elmokit.nn.heads.sequence_classification import SentenceClassifier, SequenceClassificationNetwork


class ElmoForSequenceClassification(ElmoMixedModel):  # type: ignore[no-untyped-call]
    """A biLM, a layer mix and a `SentenceClassifier`."""

    network: SequenceClassificationNetwork
    classifier: SentenceClassifier

    def __init__(self, config: ElmoConfig) -> None:
        super().__init__(config)
        self.num_labels = len(config.labels)
        self.wrap(SequenceClassificationNetwork(config))

    def forward(
        self,
        char_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        layers: Tensor | None = None,
        static_ids: Tensor | None = None,
    ) -> SequenceClassifierOutput:
        """Logits (B, K), and the loss where labels are given; see `SequenceClassificationNetwork.forward`."""
        found = self.network(char_ids, attention_mask, labels, layers, static_ids)
        return SequenceClassifierOutput(loss=found.loss, logits=found.logits)
