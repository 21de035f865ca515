"""Static vectors as a model: a table of words, and no LSTM over it.

So whatever runs on ELMo's layers (classifiers, `elmo embed`, the explorer) runs on static vectors too, and a comparison
differs in the vectors alone.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from elmokit.interop.imported import Imported, assembled, imported
from elmokit.nn.config import NetworkConfig
from elmokit.static.vectors import WordVectors
from elmokit.text.char_ids import BOS, EOS, UNK
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.word_rows import LookupRows

FORMAT = "static vectors"


def static_model(vectors: WordVectors, *, text_steps: list[str] | None = None, pre_split: bool = False) -> Imported:
    """A model of one layer, the table. Unknown words have the zero vector, as do the sentence markers.

    Args:
        vectors: The table.
        text_steps, pre_split: How the text of the vectors was prepared; later text is prepared the same way.
    """
    added = [marker for marker in (BOS, EOS, UNK) if marker not in vectors]
    words = {word: number for number, word in enumerate([*vectors.words, *added])}
    table = torch.zeros(len(words) + 1, vectors.dim)  # row 0 is padding
    table[1 : len(vectors) + 1] = torch.from_numpy(vectors.matrix)
    rows = LookupRows(words)
    config = NetworkConfig.checked(
        {
            "token_encoder": "word",
            "n_words": len(table),
            "n_characters": 0,
            "projection_dim": vectors.dim,
            "cell_dim": vectors.dim,
            "n_layers": 0,
            "directions": 1,
            "dropout": 0.0,
            "marker_rows": rows.markers().tolist(),
        }
    )
    model = assembled(config, {"token_encoder.embedding.weight": table})
    found = imported(model, rows, format=FORMAT, notes=[])
    return replace(found, preprocessing=Preprocessing(text_steps=text_steps, pre_split=pre_split))
