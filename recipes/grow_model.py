"""Make a larger language model out of a trained one, as the start of its own training.

    python recipes/grow_model.py elmo-mini --output runs/elmo_small/grown --set cell_dim=1024
    elmo pretrain --from runs/elmo_small/grown --train text.txt --output runs/elmo_small/long

    elmo train vectors --method skipgram --train text.txt --output vectors.txt
    python recipes/grow_model.py elmo-mini --output runs/elmo_mini_later/grown --set words=table --vectors vectors.txt

The new model predicts the same vocabulary:

- **LSTMs** (`cell_dim` may be larger): the cells of the trained model, then new ones whose rows of the projection are
  zero. They change nothing at first, and learn from the first update on (function-preserving growth: Chen et al. 2016).
- **Token encoder**, `words=characters`: a char CNN of any `filters`, taught to give each word the vector that the
  trained model gives it, a table of words included. Words are drawn by the square root of their counts. A spelling in
  another case, which the vocabulary does not have, is taught the vector of the word itself. With `--vectors`, static
  vectors of the same text, the words are theirs and their token vectors first move towards these.
- **Token encoder**, `words=table`: that of the trained model. A word that the table lacks is looked up in another case,
  also if the trained model did not. With `--vectors`, better static vectors than those that its training began with,
  the vectors of words move towards them; the char CNN is taught as much of them as spelling can tell, the table holds
  the rest, and it may have more words (`growing/word_table.py`).
- **Head**: the adaptive softmax of the trained model with tails of full width, the same products in more columns; with
  `head=kept` its own, for a short training after which no small one has to be fitted.

Prints how close the token vectors came and the held-out perplexities, where `--valid` names a text.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import Field, PositiveInt

from elmokit.errors import ConfigError, ElmokitError
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.loading import load, word_rows_of
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.quiet import quiet_transformers
from elmokit.models.tokenization_elmo import ElmoTokenizer
from elmokit.nn.token_encoder import TokenEncoder
from elmokit.nn.token_encoders import WordCharEncoder
from elmokit.pretrain.perplexity import evaluate_text
from elmokit.pretrain.setup import load_vocabulary
from elmokit.settings import load_settings
from elmokit.static.vectors import WordVectors
from elmokit.text.files import expand_paths
from elmokit.text.vocab import MARKERS, Vocabulary
from elmokit.text.word_rows import ByteRows, WordByteRows, WordRows
from elmokit.whole_files import JsonObject
from growing.cells import add_cells, widen_head
from growing.spelling import Lesson, TeachingConfig, make_lesson, teach
from growing.word_table import fill, moved_vectors, table_words, weights_by_rank


class GrowConfig(TeachingConfig):
    """Settings of this recipe."""

    model: str
    """The trained model: a folder or a shipped model, with its head and a char CNN or a word table over one."""
    output: Path
    """Folder that gets the new model; it appears when it is complete."""
    valid: str | None = None
    """Held-out text, by which both are compared."""
    cell_dim: PositiveInt | None = None
    """Cells of each LSTM; default: as many as the trained model has."""
    words: Literal["characters", "table"] = "characters"
    """What the new model reads of a word: its characters, or also the table of the trained model."""
    filters: list[list[int]] | None = None
    """`[width, number]` of the char CNN that is taught; default: those of the trained model."""
    vectors: Path | None = None
    """Static vectors of the same text, towards which the token vectors move before anything learns them."""
    share: Annotated[float, Field(ge=0, le=1)] = 0.25
    """Of the way from what the trained model has of a word to its static vector."""
    table: PositiveInt | None = None
    """Words of the new table; default: as many as that of the trained model."""
    word_dim: PositiveInt | None = None
    """Size of their vectors; default: as in the trained model."""
    head: Literal["full", "kept"] = "full"
    """The tails of the adaptive softmax: in full width, or as in the trained model."""
    seed: Annotated[int, Field(ge=0)] = 13
    threads: PositiveInt | None = None


def main(arguments: list[str] | None = None) -> int:
    """Grow a model, print how close it is; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", help="the trained model")
    parser.add_argument("--output", type=Path, help="folder of the new model")
    parser.add_argument("--valid", help="held-out text")
    parser.add_argument("--vectors", type=Path, help="static vectors of the same text")
    parser.add_argument("--config", type=Path, help="YAML file with settings")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="KEY=VALUE")
    parser.add_argument("--overwrite", action="store_true", help="replace the output folder")
    given = vars(parser.parse_args(arguments))
    file, overrides, overwrite = (given.pop(name) for name in ("config", "overrides", "overwrite"))
    try:
        config = load_settings(GrowConfig, file, overrides=overrides, **given)
        if config.valid is not None:
            expand_paths([config.valid])  # a text that is missing is told before the work, not after it
        if config.output.exists() and not overwrite:
            raise ConfigError(f"--output {config.output} exists: --overwrite replaces it")
        partial = config.output.with_name(f".{config.output.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        try:
            grow(config, partial)
            shutil.rmtree(config.output, ignore_errors=True)
            partial.replace(config.output)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        if config.valid is not None:
            for name, folder in (("trained", config.model), ("grown", config.output)):
                found = evaluate_text(folder, config.valid)
                print(f"held-out perplexity, {name}: {found.perplexity.mean:.1f}")
    except ElmokitError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: cannot write {config.output}: {error.strerror or error} (--output)", file=sys.stderr)
        return 2
    print(f"written to {config.output}")
    return 0


def grow(config: GrowConfig, folder: Path) -> None:
    """Write the new model to a folder.

    Raises:
        ConfigError: Fewer cells than the trained model has, more where its LSTMs have no projection, or an encoder that
            reads no characters.
        ModelError: No model with a language-model head.
    """
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    vocabulary, rows = load_vocabulary(config.model), word_rows_of(config.model)
    trained = load(ElmoForPreTraining, config.model)
    _check(config, trained.config)
    vectors = None if config.vectors is None else WordVectors.load(config.vectors)
    chosen = []
    if vectors is not None and config.words == "table":
        chosen = table_words(vectors, config.table or trained.config.n_words - 1)
    grown = ElmoForPreTraining(grown_config(trained.config, config, table=len(chosen)))
    add_cells(trained.bilm, grown.bilm)
    if config.head == "full":
        widen_head(trained.head, grown.head)
    else:
        grown.head.load_state_dict(trained.head.state_dict())
    if config.words == "table":
        encoders = trained.elmo.token_encoder, grown.elmo.token_encoder
        words = rows.lexicon()["words"]
        if vectors is None:
            encoders[1].load_state_dict(encoders[0].state_dict())
        else:
            _fill_from(vectors, chosen, *encoders, rows, config)
            words = {word: number for number, word in enumerate(chosen)}
        rows = WordByteRows(words, max_characters=rows.max_characters, other_case=True)
    else:
        lesson = _lesson(trained.elmo.token_encoder, rows, vocabulary, vectors, config)
        left = teach(grown.elmo.token_encoder, lesson, config)
        print(f"token vectors: {left:.1%} of the variance over the text is left to learn")
        rows = ByteRows(grown.config.max_characters_per_token)
    with quiet_transformers():
        grown.save_pretrained(folder)
    ElmoTokenizer(word_rows=rows, split="whitespace" if grown.config.pre_split else "penn").save_pretrained(folder)
    vocabulary.save(folder / "vocab.txt")


def _check(config: GrowConfig, trained: ElmoConfig) -> None:
    if trained.token_encoder not in ("char_cnn", "word_char"):
        raise ConfigError(f"{config.model} reads {trained.token_encoder}; expected char_cnn or word_char")
    cells = config.cell_dim or trained.cell_dim
    if cells < trained.cell_dim:
        raise ConfigError(f"cell_dim is {cells}; expected at least the {trained.cell_dim} of {config.model}")
    if cells > trained.cell_dim == trained.projection_dim:
        raise ConfigError(
            f"cell_dim is {cells}; expected the {trained.cell_dim} of {config.model}, whose LSTMs have no "
            "projection, through which new cells could say nothing at first"
        )
    if config.words == "table" and (trained.token_encoder, config.filters) != ("word_char", None):
        raise ConfigError(
            f"words=table keeps table and filters of a model with a table of words: {config.model} has no table, or "
            "filters are set"
        )
    if config.vectors is not None and trained.token_encoder != "word_char":
        raise ConfigError(f"--vectors moves the vectors of a table of words: {config.model} has none")
    if config.words == "characters" and (config.table or config.word_dim):
        raise ConfigError("a model that reads characters alone has no table: --set words=table")
    if config.vectors is None and (config.table or config.word_dim):
        raise ConfigError("another table needs static vectors of its words: --vectors")


def _lesson(
    trained: TokenEncoder, rows: WordRows, vocabulary: Vocabulary, vectors: WordVectors | None, config: GrowConfig
) -> Lesson:
    """What a char CNN is taught that has to do without a table."""
    if vectors is None:
        weights = [count**0.5 for count in vocabulary.counts[len(MARKERS) :]]
        return make_lesson(trained, rows, vocabulary.words[len(MARKERS) :], weights)
    assert isinstance(trained, WordCharEncoder)
    targets = moved_vectors(trained, rows, vectors, share=config.share)
    return make_lesson(trained, rows, vectors.words, weights_by_rank(len(targets)).tolist(), targets)


def _fill_from(
    vectors: WordVectors,
    chosen: list[str],
    trained: TokenEncoder,
    grown: TokenEncoder,
    rows: WordRows,
    config: GrowConfig,
) -> None:
    """Give the new token encoder the words `chosen` from static vectors, and print how close it comes."""
    assert isinstance(trained, WordCharEncoder)
    assert isinstance(grown, WordCharEncoder)
    targets = moved_vectors(trained, rows, vectors, share=config.share)
    fit = fill(grown, trained, chosen, targets, vectors, config)
    print(
        f"token vectors: {fit.spelling:.1%} of the variance is left to learn by spelling alone, {fit.table:.1%} "
        "with the table"
    )


def grown_config(trained: ElmoConfig, config: GrowConfig, *, table: int) -> ElmoConfig:
    """The shape of the new model; `table` is the number of words of a new table, 0 where there is none."""
    values = {name: value for name, value in trained.to_dict().items() if name in ElmoConfig.__dataclass_fields__}
    new: JsonObject = {"cell_dim": config.cell_dim or trained.cell_dim}
    if config.head == "full":
        new["adaptive_div_value"] = 1.0
    if config.words == "characters":
        new |= {"token_encoder": "char_cnn", "n_words": 0, "word_dim": 0, "marker_rows": None}
        new |= {"filters": config.filters or trained.filters}
    elif table:
        new |= {"n_words": table + 1, "word_dim": config.word_dim or trained.word_dim}
    return ElmoConfig.checked({**values, **new})


if __name__ == "__main__":
    sys.exit(main())
