"""The whole network of a language model, built from its configuration."""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from elmokit.nn.bilm import BiLM, State
from elmokit.nn.char_cnn import CharCNN
from elmokit.nn.config import NetworkConfig
from elmokit.nn.context_lstm import ContextLSTM
from elmokit.nn.softmax import SoftmaxHead, build_head
from elmokit.nn.token_encoders import SubwordEncoder, WordCharEncoder, WordEmbedding


class Elmo(nn.Module):
    """Token encoder and biLM under the names that `ElmoModel` saves them by."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.token_encoder = build_token_encoder(config)
        self.bilm = cast(BiLM, build_bilm(config))
        if config.warm_state:
            sizes = (config.n_layers, config.directions)
            self.warm_h = nn.Parameter(torch.zeros(*sizes, self.bilm.output_dim), requires_grad=False)
            self.warm_c = nn.Parameter(torch.zeros(*sizes, config.cell_dim), requires_grad=False)

    def token_vectors(self, rows: Tensor) -> Tensor:
        """Rows of words (U, L) to their context-free vectors (U, P)."""
        vectors: Tensor = self.token_encoder(rows)
        return vectors

    def initial_state(self, batch: int) -> State:
        """Where sentences start: the warm state that the model holds, or zero."""
        if not self.config.warm_state:
            return self.bilm.zero_state(batch)
        return spread_state(self.warm_h, self.warm_c, batch)


class LanguageNetwork(nn.Module):
    """A biLM with its softmax, under the names that `ElmoForPreTraining` saves them by."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.elmo = Elmo(config)
        self.head = build_language_head(config)

    @property
    def bilm(self) -> BiLM:
        """The language model."""
        return self.elmo.bilm


def build_token_encoder(config: NetworkConfig) -> CharCNN | WordEmbedding | SubwordEncoder | WordCharEncoder:
    """What reads the words."""
    if config.token_encoder == "word":
        return WordEmbedding(n_words=config.n_words, dim=config.projection_dim)
    if config.token_encoder == "subword":
        return SubwordEncoder(n_pieces=config.n_words, dim=config.projection_dim)
    joined = config.token_encoder == "word_char"
    characters = None
    if config.n_characters:
        characters = CharCNN(
            n_characters=config.n_characters, embedding_dim=config.char_embedding_dim, filters=config.filters or [],
            n_highway=config.n_highway, projection_dim=None if joined else config.projection_dim,
            activation=config.char_cnn_activation, max_characters=config.max_characters_per_token,
            padding=config.character_padding,
        )  # fmt: skip
    if characters is not None and not joined:
        return characters
    words = WordEmbedding(n_words=config.n_words, dim=config.word_dim) if config.n_words else None
    return WordCharEncoder(words=words, characters=characters, projection_dim=config.projection_dim)


def build_bilm(config: NetworkConfig) -> BiLM | ContextLSTM:
    """The layers over the token vectors."""
    if config.context_layers:
        return ContextLSTM(
            input_dim=config.projection_dim, hidden_dim=config.cell_dim, n_layers=config.context_layers,
            dropout=config.dropout,
        )  # fmt: skip
    return BiLM(
        # As in bilm-tf, a projection as wide as the cell is left out.
        input_dim=config.projection_dim, cell_dim=config.cell_dim,
        projection_dim=None if config.projection_dim == config.cell_dim else config.projection_dim,
        n_layers=config.n_layers, directions=config.directions, use_skip_connections=config.use_skip_connections,
        cell_clip=config.cell_clip, proj_clip=config.proj_clip, dropout=config.dropout,
        locked_dropout=config.locked_dropout, weight_dropout=config.weight_dropout,
    )  # fmt: skip


def build_language_head(config: NetworkConfig) -> SoftmaxHead:
    """The softmax, which both directions share (Peters et al. 2018, §3.1)."""
    return build_head(
        config.softmax, config.projection_dim, config.vocab_size, n_samples=config.n_negative_samples,
        cutoffs=config.adaptive_cutoffs, div_value=config.adaptive_div_value,
    )  # fmt: skip


def spread_state(h: Tensor, c: Tensor, batch: int) -> State:
    """h (layers, D, H) and c (layers, D, C) as the state of ``batch`` sentences, which share their memory."""
    h, c = (state.unsqueeze(2).expand(-1, -1, batch, -1) for state in (h, c))
    return State(h, c.to(torch.promote_types(c.dtype, torch.float32)))
