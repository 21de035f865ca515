"""`ElmoVectorizer`: texts to sentence vectors inside a scikit-learn pipeline."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from elmokit.encode.backend import BackendName
from elmokit.encode.encoder import Encoder, Sentence, Start
from elmokit.encode.layer_choice import GivenLayers
from elmokit.encode.pooling import Pooling
from elmokit.errors import DataError
from elmokit.text.given import given_texts


class ElmoVectorizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A vector of each text; nothing is trained.

    Texts are a list, a pandas Series, or one column: an array (n, 1) or a table with one column, as `ColumnTransformer`
    passes on. `set_output(transform="pandas")` names the columns of the result elmo0, elmo1, …

    Args:
        model: Anything `Encoder.from_pretrained` loads.
        layers: As in `Encoder.encode`; several layers are laid side by side.
        pooling, remove_common_component: As in `Encoder.encode`.
        batch_size: Most texts the network sees at once.
        is_split_into_words: Texts are lists of words.
        dtype, state, device, backend: As in `Encoder.from_pretrained`.
    """

    def __init__(
        self,
        model: str | Path,
        *,
        layers: GivenLayers = "average",
        pooling: Pooling | None = None,
        remove_common_component: bool | None = None,
        batch_size: int = 64,
        is_split_into_words: bool = False,
        dtype: str = "float32",
        state: Start | None = None,
        device: str | None = None,
        backend: BackendName | None = None,
    ) -> None:
        self.model = model
        self.layers = layers
        self.pooling = pooling
        self.remove_common_component = remove_common_component
        self.batch_size = batch_size
        self.is_split_into_words = is_split_into_words
        self.dtype = dtype
        self.state = state
        self.device = device
        self.backend = backend

    def fit(self, X: Iterable[Sentence], y: Any = None) -> ElmoVectorizer:
        """Load the model; the texts themselves are not looked at.

        Raises:
            DataError: X has several columns.
            ValueError: X is one text, or nothing with texts in it.
        """
        _texts(X, is_split_into_words=self.is_split_into_words)
        self.encoder_ = Encoder.from_pretrained(
            self.model, backend=self.backend, device=self.device, dtype=self.dtype, state=self.state
        )
        self.n_features_out_ = math.prod(self.encoder_.sentence_shape(layers=self.layers, pooling=self.pooling))
        return self

    def transform(self, X: Iterable[Sentence]) -> NDArray[np.float32]:
        """(n, features): dim, times the number of layers that stay apart, twice that with "mean+max".

        Raises:
            DataError: X has several columns.
            ValueError: X is one text, or a text is missing.
        """
        check_is_fitted(self, "n_features_out_")
        if not hasattr(self, "encoder_"):  # came out of a pickle
            self.fit([])
        vectors = self.encoder_.encode(
            _texts(X, is_split_into_words=self.is_split_into_words),
            layers=self.layers,
            level="sentence",
            pooling=self.pooling,
            remove_common_component=self.remove_common_component,
            batch_size=self.batch_size,
            is_split_into_words=self.is_split_into_words,
        )
        array: NDArray[np.float32] = vectors.reshape(len(vectors), self.n_features_out_)
        return array

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """elmo0, elmo1, …"""
        check_is_fitted(self, "n_features_out_")
        return np.array([f"elmo{number}" for number in range(self.n_features_out_)], dtype=object)

    def __getstate__(self) -> dict[str, Any]:
        """Settings alone: the model is loaded again where it is needed."""
        state: dict[str, Any] = {**super().__getstate__()}
        state.pop("encoder_", None)
        return state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = True
        tags.requires_fit = True
        return tags


def _texts(X: Any, *, is_split_into_words: bool) -> Iterator[Sentence]:
    """The texts themselves: the one column of what is two-dimensional.

    Raises:
        DataError: X has several columns.
        ValueError: X is one text, or as `given_texts`.
    """
    if isinstance(X, str):  # refused in the words of scikit-learn's own vectorizers
        raise ValueError("Iterable over raw text documents expected, string object received.")
    if getattr(X, "ndim", 1) == 2 and X.shape[1] != 1 and not is_split_into_words:
        raise DataError(f"X has {X.shape[1]} columns; expected one column of texts: choose one with ColumnTransformer")
    return given_texts(X, is_split_into_words=is_split_into_words)
