"""Every setting of a pretraining run, with its default and the reason for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from elmokit.nn.token_kinds import TokenEncoderName
from elmokit.places import is_address
from elmokit.pretrain.mirror import local_run_folder
from elmokit.text.file_settings import TextSettings

Fraction = Annotated[float, Field(ge=0, lt=1)]


CLASSIC: dict[str, Any] = {
    "token_encoder": "word",
    "normalize": ["expand_contractions", "replace_urls", "remove_punctuation", "lower_case"],
    "min_count": 3,
    "max_words_percentile": 95.0,
    "batch_sentences": 32,
    "batch_tokens": 2048,
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "schedule": "constant",
    "warmup_steps": 0,
}
"""What `preset: classic` sets next to the shape, each where nothing else is given: the way courses build ELMo."""


class PretrainConfig(TextSettings):
    """Settings of `elmo pretrain`, as a YAML file, ``--set key=value`` or command-line options."""

    @model_validator(mode="before")
    @classmethod
    def _classic(cls, values: Any) -> Any:
        if isinstance(values, dict) and values.get("preset") == "classic":
            if values.get("from_model") is not None:
                raise ValueError("preset classic prepares text in its own way, and --from brings the model's: give one")
            return {**CLASSIC, **values}
        return values

    @model_validator(mode="before")
    @classmethod
    def _output_at_address(cls, values: Any) -> Any:
        if isinstance(values, dict) and is_address(str(values.get("output"))):
            address = str(values["output"])
            return {**values, "output": local_run_folder(address), "copy_to": address}
        return values

    @model_validator(mode="before")
    @classmethod
    def _text_of_corpus(cls, values: Any) -> Any:
        return {"train": [], **values} if isinstance(values, dict) and values.get("corpus") is not None else values

    @model_validator(mode="after")
    def _one_text(self) -> Self:
        if self.corpus is None and not self.train:
            raise ValueError("train names no file; expected --train FILE …, or --corpus with a folder of elmo prepare")
        if self.corpus is not None and (self.train or self.valid is not None):
            raise ValueError("corpus brings training and held-out text: give it alone, or train and valid")
        return self

    # The text.
    train: list[str]
    """Files or globs of any format that is read, see docs/files.md."""
    corpus: str | None = None
    """Folder or address of a corpus that elmo prepare made, in place of train and valid."""
    valid: str | None = None
    """Held-out file for perplexity, early stopping and the choice of the best epoch."""
    column: str | None = None
    """Where tables and JSON keep the text: names or 1-based numbers ("2-": all from the second on)."""
    pre_split: bool = False
    """The text is already split into words by spaces."""
    normalize: list[str] = Field(default=[])
    """Clean-up steps before splitting, by name; with from_model its own unless others are named."""
    min_count: PositiveInt = 3
    """Rarer words are predicted as <UNK>; as input their characters stay real."""
    max_vocab: PositiveInt | None = 50_000
    max_words: PositiveInt = 200
    """Longer lines are cut into pieces of this many words."""
    max_words_percentile: Annotated[float, Field(gt=0, le=100)] | None = None
    """Cut at this percentile of the lines' lengths where that is less than `max_words`."""

    # The model.
    preset: str = "mini"
    token_encoder: TokenEncoderName = "char_cnn"
    """What the model reads of a word: its characters, its number in the vocabulary, its pieces (BPE), or a vector of
    its own next to its characters (word_char)."""
    word_table: PositiveInt = 10_000
    """Most frequent words that have a vector of size `model.word_dim` (128) under word_char. Others have that of the
    word in another case, or zero."""
    n_pieces: Annotated[int, Field(ge=300)] = 8000
    """Pieces of the subword encoder: 256 bytes, two markers, and merges."""
    initial_vectors: Path | None = None
    """File of static vectors that the word table starts from; words it lacks start at random (word_char: at zero)."""
    model: dict[str, Any] = Field(default={})
    """Single fields of the model configuration that differ from the preset."""
    from_model: str | None = None
    """Continue with this model on new text; its shape and vocabulary stay."""
    new_vocabulary: bool = False
    """With from_model: predict the words of the new text, by a softmax that starts anew. Any biLM will do then, one
    without a language-model head too; `model` may name another softmax."""

    # What is read otherwise than it is written.
    case_augmentation: Fraction = 0.0
    """This fraction of the sentences, others each epoch, is read in capitals, lower case or title case; what is
    predicted stays as written. For encoders that read characters or pieces."""
    typo_augmentation: Fraction = 0.0
    """This fraction of the words of three letters or more is read with one typing error, predicted as written."""

    # The batches.
    mode: Literal["sentence", "stream"] = "sentence"
    """Independent sentences, or the reference's endless rows with carried state."""
    batch_tokens: PositiveInt | None = None
    """Sentence mode: predicted words a direction and step, over all processes. Default: a 400th of the text, at least
    512 and at most 6,144, so that small texts get enough updates and large ones fast products."""
    batch_sentences: PositiveInt | None = None
    """Sentence mode: at most this many sentences a step."""
    accumulate: PositiveInt = 1
    """Batches whose gradients are summed in one update: larger updates in the same memory."""
    stream_rows: PositiveInt = 128
    """Stream mode: rows over all processes (the reference: 128 a GPU)."""
    stream_window: PositiveInt = 20
    shuffle: bool = True
    """A new order each epoch; without it stream mode reads the text as it stands (the custom on Penn Treebank)."""

    # The optimisation.
    epochs: PositiveInt = 5
    max_steps: PositiveInt | None = None
    """End after this many updates, where that is before `epochs` are over; the schedule is that of the whole run."""
    max_train_words: PositiveInt | None = None
    """End with the update that reaches this many predicted words a direction (`words` of the figures)."""
    optimizer: Literal["muon", "adam", "adagrad", "sgd"] = "muon"
    """Muon (Jordan et al. 2024) trains the matrices of LSTMs, highways and projections, AdamW everything else.
    Adagrad is the reference's (0.2); plain SGD is the custom on Penn Treebank. The loss here is the mean over all
    predictions of a step: the rate of 1 and the bound of 5 in Zaremba et al. 2014, whose loss is summed over 35 words,
    are 35 and 0.14 here (Merity et al. 2018: 30 and 0.25)."""
    learning_rate: PositiveFloat = 2e-3
    muon_learning_rate: PositiveFloat | None = None
    """Of the matrices under Muon, by default ten times `learning_rate`, which is that of the other parameters. Both
    follow the schedule."""
    muon_max_side: PositiveInt | None = None
    """Larger matrices are orthogonalised in blocks of rows: a highway of 2,048 filters costs 2.4 s an update whole."""
    schedule: Literal["cosine", "linear", "constant", "wsd"] = "cosine"
    """wsd: constant, and a decay at the end (warm-up, stable, decay: Hu et al. 2024)."""
    decay_steps: PositiveInt | None = None
    """Last steps of wsd, or steps of a run with `decay_from`, in which the rate falls; default: a tenth of the run."""
    decay_from: Path | None = None
    """Folder of a run in its constant phase: start with all that its newest checkpoint holds, decay, and end. The other
    run is only read, and may continue meanwhile."""
    warmup_steps: Annotated[int, Field(ge=0)] = 200
    final_learning_rate: Fraction = 0.02
    """Where the schedule ends, as a fraction of the learning rate."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip_norm: PositiveFloat = 1.0
    """Bound of the gradient's global norm (the reference: 10, with Adagrad)."""
    average_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Above 0 the held-out text is read by, and the run's result is, the exponential moving average of the weights over
    all steps (Polyak & Juditsky 1992), with this decay a step: 0.999 looks back about 1,000 steps."""
    patience: PositiveInt | None = 3
    """Stop after this many epochs without a better held-out loss."""

    # The run.
    output: Path
    """The run folder; an address (s3://…) is worked on in the cache and copied out at every checkpoint."""
    copy_to: str | None = None
    """Set by an `output` that is an address."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """auto measures whether bfloat16 products are faster on this processor."""
    seed: Annotated[int, Field(ge=0)] = 13
    threads: PositiveInt | None = None
    workers: Annotated[int, Field(ge=0)] | None = None
    """Processes that make batches for each training process; 0: a thread. Default: 0 on a CPU, up to 8 on a GPU."""
    checkpoint_minutes: PositiveFloat = 5.0
    log_steps: PositiveInt = 20
    evaluate_steps: PositiveInt | None = None
    """Perplexity of the held-out text every so many updates, in addition to the ends of epochs."""
    valid_batch_tokens: PositiveInt = 4096
    resume: bool = False
    overwrite: bool = False
