"""`ElmoVectorizer` as scikit-learn uses it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from elmokit import Encoder
from elmokit.errors import DataError
from elmokit.integrations.vectorizer import ElmoVectorizer

TEXTS = ["the bank was wet", "a cell", "", "the river of the bank", "orbit", "gene of a cell"]


def test_vectors_are_the_encoders(model: Path) -> None:
    encoder = Encoder.from_pretrained(model)
    vectorizer = ElmoVectorizer(model)
    vectors = vectorizer.fit_transform(TEXTS)
    np.testing.assert_array_equal(vectors, encoder.encode(TEXTS, layers="average", level="sentence"))
    assert list(vectorizer.get_feature_names_out()[:2]) == ["elmo0", "elmo1"]
    assert len(vectorizer.get_feature_names_out()) == vectors.shape[1] == 32
    everything = ElmoVectorizer(model, layers="all").fit(TEXTS)
    assert everything.transform(TEXTS).shape == (6, 96)
    assert len(everything.get_feature_names_out()) == 96
    assert everything.transform([]).shape == (0, 96)
    both = ElmoVectorizer(model, layers=[0, 2], pooling="mean+max").fit(TEXTS)
    expected = encoder.encode(TEXTS, layers=[0, 2], level="sentence", pooling="mean+max")
    np.testing.assert_array_equal(both.transform(TEXTS), expected.reshape(6, 128))


def test_in_a_pipeline_and_a_grid(model: Path) -> None:
    pipeline = make_pipeline(ElmoVectorizer(model), LogisticRegression())
    search = GridSearchCV(pipeline, {"elmovectorizer__layers": ["top", "average"]}, cv=2)
    search.fit(TEXTS, [0, 1, 0, 0, 1, 1])
    assert search.predict(TEXTS).shape == (6,)


@pytest.mark.parametrize("columns", [np.array(TEXTS, dtype=object)[:, None], pd.DataFrame({"text": TEXTS})])
def test_one_column_of_texts(columns: Any, model: Path) -> None:
    expected = ElmoVectorizer(model).fit_transform(TEXTS)
    np.testing.assert_array_equal(ElmoVectorizer(model).fit_transform(columns), expected)
    np.testing.assert_array_equal(ElmoVectorizer(model).fit_transform(pd.Series(TEXTS)), expected)
    with pytest.raises(DataError, match=r"^X has 2 columns; expected one column of texts"):
        ElmoVectorizer(model).fit(np.hstack([columns, columns]))


def test_one_text_and_missing_ones_are_refused(model: Path) -> None:
    with pytest.raises(ValueError, match=r"^Iterable over raw text documents expected, string object received\.$"):
        ElmoVectorizer(model).fit_transform("abc")
    for missing in (None, np.nan, pd.NA):
        with pytest.raises(ValueError, match=rf"^text 2 is missing \({missing}\): fill or drop it first"):
            ElmoVectorizer(model).fit_transform(pd.Series(["a", missing], dtype=object))
    with pytest.raises(ValueError, match=r"expects lists of words; got the text 'the' \(text 1\)"):
        ElmoVectorizer(model, is_split_into_words=True).fit_transform(["the", "bank"])
    words = np.array([["the", "bank"], ["a", "cell"]])
    assert ElmoVectorizer(model, is_split_into_words=True, layers=np.int64(1)).fit_transform(words).shape == (2, 32)


def test_in_a_column_transformer_with_pandas_output(model: Path) -> None:
    table = pd.DataFrame({"text": TEXTS, "length": range(6)}, index=list("abcdef"))
    for column in ("text", ["text"]):  # one-dimensional, and two-dimensional
        parts = ColumnTransformer([("elmo", ElmoVectorizer(model), column)], remainder="passthrough")
        found = parts.set_output(transform="pandas").fit_transform(table)
        assert list(found.columns[[0, 1, -1]]) == ["elmo__elmo0", "elmo__elmo1", "remainder__length"]
        assert list(found.index) == list("abcdef")
        np.testing.assert_array_equal(found.iloc[:, :-1], ElmoVectorizer(model).fit_transform(TEXTS))


def test_clone_and_pickle(model: Path) -> None:
    vectorizer = ElmoVectorizer(model, layers=1)
    with pytest.raises(NotFittedError, match="not fitted"):
        vectorizer.transform(TEXTS)
    assert clone(vectorizer).get_params() == vectorizer.get_params()
    vectors = vectorizer.fit_transform(TEXTS)
    packed = pickle.dumps(vectorizer)
    assert len(packed) < 2000
    np.testing.assert_array_equal(pickle.loads(packed).transform(TEXTS), vectors)
