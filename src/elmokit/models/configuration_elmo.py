"""`ElmoConfig`: every number that gives a biLM and its heads their shape, and the named presets."""

# No `from __future__ import annotations` here: `@strict` checks field types at run time, and skips string types.

import difflib
from typing import Any, ClassVar, Literal

from huggingface_hub.dataclasses import strict
from huggingface_hub.errors import StrictDataclassError
from transformers import PreTrainedConfig

from elmokit.errors import ConfigError
from elmokit.text.word_rows import SPELLING_WIDTH

# Seven widths, 2,048 filters: the token encoder of all published English models (Peters et al. 2018).
_PUBLISHED_FILTERS = [[1, 32], [2, 32], [3, 64], [4, 128], [5, 256], [6, 512], [7, 1024]]

# Shapes by name; parameter counts are those of the biLM without an LM head, embedding row 0 (padding) not counted.
PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {  # for tests
        "filters": [[1, 4], [2, 8], [3, 8]],
        "char_embedding_dim": 8,
        "n_highway": 1,
        "projection_dim": 16,
        "cell_dim": 32,
    },
    "mini": {  # 6.6 M with its highway: an hour of two CPU cores
        "filters": [[1, 32], [2, 64], [3, 128], [4, 192], [5, 256], [6, 224]],
        "n_highway": 1,
        "projection_dim": 256,
        "cell_dim": 512,
    },
    "small": {"filters": _PUBLISHED_FILTERS, "n_highway": 1, "projection_dim": 128, "cell_dim": 1024},  # 13.6 M
    "medium": {"filters": _PUBLISHED_FILTERS, "n_highway": 1, "projection_dim": 256, "cell_dim": 2048},  # 28.0 M
    "original": {"filters": _PUBLISHED_FILTERS, "n_highway": 2, "projection_dim": 512, "cell_dim": 4096},  # 93.6 M
    "classic": {  # of courses: no projection, clips or residuals; `elmo pretrain --preset classic` looks words up
        "projection_dim": 150,
        "cell_dim": 150,
        "use_skip_connections": False,
        "cell_clip": None,
        "proj_clip": None,
        "dropout": 0.0,
        "softmax": "full",
    },
}

# What transformers itself puts into a config without declaring it as a field.
_TRANSFORMERS_KEYS = frozenset(
    {"attn_implementation", "auto_map", "experts_implementation", "model_type", "name_or_path", "num_labels"}
    | {"output_attentions", "tie_word_embeddings", "torch_dtype", "hidden_size", "use_cache"}
    | {"bos_token_id", "eos_token_id", "pad_token_id"}  # `Trainer` copies them from the tokenizer
)


def _mini_filters() -> list[list[int]]:
    return [list(pair) for pair in PRESETS["mini"]["filters"]]


@strict
class ElmoConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    r"""Shape and training settings of an ELMo model. The default shape is the preset `mini`.

    Token encoder (Peters et al. 2018, §3.1; Kim et al. 2016)
        token_encoder (`"char_cnn"`, `"word"`, `"subword"` or `"word_char"`, *optional*, defaults to `"char_cnn"`):
            characters; whole words looked up; pieces of words; words and characters side by side (ELMoForManyLangs).
        n_words (`int`, *optional*, defaults to 0): rows of the table of words or pieces, padding included; 0: none.
        max_pieces_per_token (`int`, *optional*, defaults to 12): pieces of a word that are read (`subword`).
        word_dim (`int`, *optional*, defaults to 0): size of a word's vector beside its characters (`word_char`).
        n_characters (`int`, *optional*, defaults to 262): rows of the character table: padding, 256 bytes, 5 markers.
            0 with `word_char`: no character table.
        character_padding (`int`, *optional*, defaults to 261): the id of an unused position inside a word.
        marker_rows (`list[list[int]]`, *optional*): what the token encoder reads of the begin and the end of a
            sentence; `None`: the convention of bilm-tf.
        max_characters_per_token (`int`, *optional*, defaults to 50): bytes of a word plus its two markers.
        char_embedding_dim (`int`, *optional*, defaults to 16): size of a character vector.
        filters (`list[list[int]]`, *optional*): `[width, number]` of each convolution.
        n_highway (`int`, *optional*, defaults to 1): highway layers over the pooled filters.
        char_cnn_activation (`"relu"` or `"tanh"`, *optional*, defaults to `"relu"`): after the pooling.

    biLM
        projection_dim (`int`, *optional*, defaults to 256): size of a token vector and of one direction's state (P).
        cell_dim (`int`, *optional*, defaults to 512): size of an LSTM cell (C).
        n_layers (`int`, *optional*, defaults to 2): LSTM layers. 0 with `token_encoder="word"`: static vectors.
        directions (`int`, *optional*, defaults to 2): 2 for a biLM, 1 for a forward language model only.
        use_skip_connections (`bool`, *optional*, defaults to `True`): residuals between LSTM layers.
        cell_clip, proj_clip (`float`, *optional*, defaults to 3.0): bounds of cell and projected state; `None`: none.
        dropout (`float`, *optional*, defaults to 0.1): on each cell input and on the final output.
        locked_dropout (`bool`, *optional*, defaults to `False`): one mask of that dropout for all words of a sentence.
        weight_dropout (`float`, *optional*, defaults to 0.0): on the recurrent weights while training.
        warm_state (`bool`, *optional*, defaults to `False`): the model holds the state its sentences start from.
        context_layers (`int`, *optional*, defaults to 0): layers of a translator's encoder that stands in the place of
            the biLM (CoVe, McCann et al. 2017), whose top states are then the one layer; 0: a biLM.

    Text (how the text of the pretraining was prepared; later text is prepared the same way)
        text_steps (`list[str]`, *optional*): names of clean-up steps before splitting (`elmokit.text.normalize.STEPS`).
        pre_split (`bool`, *optional*, defaults to `False`): words were separated by blanks already.

    Language-model head (pretraining only)
        softmax (`"adaptive"`, `"sampled"` or `"full"`, *optional*, defaults to `"adaptive"`): the training loss.
        vocab_size (`int`, *optional*, defaults to 0): words of the head; 0: the model has no head.
        n_negative_samples (`int`, *optional*, defaults to 8192): draws of the sampled softmax.
        adaptive_cutoffs (`list[int]`, *optional*): cluster borders of the adaptive softmax; `None`: by the size.
        adaptive_div_value (`float`, *optional*, defaults to 2.0): each cluster's vectors are smaller by this factor.

    Layer mix and classifier (Peters et al. 2018, §3.2)
        combine (`"trainable"`, `"frozen"` or `"function"`, *optional*, defaults to `"trainable"`): the kind of mix.
        mix_weights (`list[float]`, *optional*): λ at the start (`trainable`) or for good (`frozen`); `None`: uniform.
        mix_normalize (`bool`, *optional*, defaults to `True`): softmax over trained λ; `False`: raw λ.
        mix_dropout, mix_l2 (`float`, *optional*, defaults to 0.0): dropout on the mix; coefficient of |w|² in the loss.
        mix_layer_norm (`bool`, *optional*, defaults to `False`): normalise each layer over all words of the batch.
        mix_activation (`"relu"` or `"tanh"`, *optional*, defaults to `"relu"`), mix_hidden_dim (`int`, *optional*):
            of the function; its hidden size is the model's own when `None`.
        head_hidden_dim (`int`, *optional*, defaults to 128): units of each direction of the BiLSTM.
        head_layers (`int`, *optional*, defaults to 2): its layers.
        head_dropout (`float`, *optional*, defaults to 0.3): before, between and after them.
        self_attention (`bool`, *optional*, defaults to `True`): in question answering, the words of a passage attend to
            one another, too (Clark & Gardner 2018).
        pooling (`"concat"`, `"max"`, `"mean"`, `"last"` or `"attention"`, *optional*, defaults to `"concat"`): from
            words to a sentence; `concat` is max, mean and the two last states side by side.
        n_static_words (`int`, *optional*, defaults to 0): rows of a table of static vectors that stand beside the mixed
            layers, the row of unknown words included (Peters et al. 2018, §3.3: [x; ELMo]); 0: none.
        static_dim (`int`, *optional*, defaults to 0): size of a static vector.
        char_features (`int`, *optional*, defaults to 0): filters, three characters wide, of a char CNN of the tagger's
            own, whose maxima stand beside the mixed layers (the baseline of Peters et al. 2018, §4); 0: none.
        mix_at (`"input"`, `"between"` or `"both"`, *optional*, defaults to `"input"`): where a tagger reads the mixed
            layers: at the input of its BiLSTM, beside the states of the BiLSTM's first layer (the best of three places
            of Peters et al. 2017, whose first layer reads static vectors and char features alone), or at both.

    Decoder of a translator (Luong et al. 2015)
        n_target_pieces (`int`, *optional*, defaults to 0): pieces of the target language, markers included; 0: none.
        target_dim (`int`, *optional*, defaults to 256): size of a piece's vector, shared by input and softmax.
        decoder_hidden_dim (`int`, *optional*, defaults to 256): size of the decoder's LSTM states.
        decoder_layers (`int`, *optional*, defaults to 2): its layers, each an LSTM and an attention.
        label_smoothing (`float`, *optional*, defaults to 0.1): share of the probability that training spreads over all
            pieces.

    Raises:
        StrictDataclassError: A field of the wrong type or out of range (`ElmoConfig.checked` makes it a `ConfigError`).
        ConfigError: An unknown field.
    """

    model_type = "elmo"
    attribute_map: ClassVar[dict[str, str]] = {"num_hidden_layers": "n_layers"}

    token_encoder: Literal["char_cnn", "word", "subword", "word_char"] = "char_cnn"
    n_words: int = 0
    max_pieces_per_token: int = 12
    word_dim: int = 0
    n_characters: int = 262
    character_padding: int = 261
    marker_rows: list[list[int]] | None = None
    max_characters_per_token: int = 50
    char_embedding_dim: int = 16
    filters: list[list[int]] | None = None
    n_highway: int = 1
    char_cnn_activation: Literal["relu", "tanh"] = "relu"

    projection_dim: int = 256
    cell_dim: int = 512
    n_layers: int = 2
    directions: Literal[1, 2] = 2
    use_skip_connections: bool = True
    cell_clip: float | int | None = 3.0
    proj_clip: float | int | None = 3.0
    dropout: float | int = 0.1
    locked_dropout: bool = False
    weight_dropout: float | int = 0.0
    warm_state: bool = False
    context_layers: int = 0

    text_steps: list[str] | None = None
    pre_split: bool = False

    softmax: Literal["adaptive", "sampled", "full"] = "adaptive"
    vocab_size: int = 0
    n_negative_samples: int = 8192
    adaptive_cutoffs: list[int] | None = None
    adaptive_div_value: float | int = 2.0

    combine: Literal["trainable", "frozen", "function"] = "trainable"
    mix_weights: list[float | int] | None = None
    mix_normalize: bool = True
    mix_dropout: float | int = 0.0
    mix_l2: float | int = 0.0
    mix_layer_norm: bool = False
    mix_activation: Literal["relu", "tanh"] = "relu"
    mix_hidden_dim: int | None = None
    head_hidden_dim: int = 128
    head_layers: int = 2
    head_dropout: float | int = 0.3
    self_attention: bool = True
    pooling: Literal["concat", "max", "mean", "last", "attention"] = "concat"
    n_static_words: int = 0
    static_dim: int = 0
    char_features: int = 0
    mix_at: Literal["input", "between", "both"] = "input"

    n_target_pieces: int = 0
    target_dim: int = 256
    decoder_hidden_dim: int = 256
    decoder_layers: int = 2
    label_smoothing: float | int = 0.1

    def __post_init__(self, **kwargs: Any) -> None:
        unknown = [key for key in kwargs if not key.startswith("_") and key not in _TRANSFORMERS_KEYS]
        if unknown:
            raise ConfigError(_unknown_field(unknown[0]))
        kwargs.pop("hidden_size", None)  # derived; some tools write it into config.json
        if self.filters is None:
            self.filters = _mini_filters()
        super().__post_init__(**kwargs)  # type: ignore[no-untyped-call]

    @classmethod
    def preset(cls, name: str, **overrides: Any) -> "ElmoConfig":
        """The configuration of a named shape, with single fields replaced.

        Raises:
            ConfigError: An unknown preset or field, or a value of the wrong type or range.
        """
        if name not in PRESETS:
            raise ConfigError(f"Unknown preset {name!r}. Expected one of: {', '.join(PRESETS)}.")
        return cls.checked({**PRESETS[name], **overrides})

    @classmethod
    def checked(cls, values: dict[str, Any]) -> "ElmoConfig":
        """A configuration from plain values, every mistake told in one line.

        Raises:
            ConfigError: An unknown field, or a value of the wrong type or range.
        """
        try:
            return cls(**values)
        except StrictDataclassError as error:
            raise ConfigError(f"Model configuration: {error.__cause__ or error}") from error

    @property
    def hidden_size(self) -> int:
        """Size of one word vector: the directions side by side."""
        return self.directions * self.projection_dim

    def validate_sizes(self) -> None:
        """Sizes are positive and fit each other. Run by `@strict` after every construction."""
        at_least = {"max_characters_per_token": 3, "char_embedding_dim": 1, "projection_dim": 1}
        at_least |= {
            "cell_dim": 1,
            "n_layers": 0 if self.token_encoder == "word" else 1,
            "n_highway": 0,
            "vocab_size": 0,
            "n_negative_samples": 1,
        }
        at_least |= {"head_hidden_dim": 1, "head_layers": 1, "max_pieces_per_token": 1}
        at_least |= {
            "char_features": 0,
            "n_target_pieces": 0,
            "target_dim": 1,
            "decoder_hidden_dim": 1,
            "decoder_layers": 1,
        }
        for name, least in at_least.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; expected at least {least}.")
        if self.projection_dim > self.cell_dim:
            raise ValueError(f"projection_dim is {self.projection_dim}; expected at most cell_dim ({self.cell_dim}).")
        if (self.n_static_words > 0) != (self.static_dim > 0):
            raise ValueError(
                f"n_static_words is {self.n_static_words} and static_dim {self.static_dim}; expected both or neither."
            )
        if self.mix_hidden_dim is not None and self.mix_hidden_dim < 1:
            raise ValueError(f"mix_hidden_dim is {self.mix_hidden_dim}; expected at least 1 (or no value).")
        if self.mix_weights is not None and len(self.mix_weights) != self.n_layers + 1:
            raise ValueError(
                f"mix_weights has {len(self.mix_weights)} values; expected {self.n_layers + 1}: the token layer and "
                f"{self.n_layers} LSTM layers."
            )
        if self.combine == "trainable" and self.mix_normalize and min(self.mix_weights or [1.0]) <= 0:
            raise ValueError(
                f"mix_weights is {self.mix_weights}; expected positive numbers for trainable λ, which come from a "
                "softmax (combine frozen takes any)."
            )

    def validate_token_encoder(self) -> None:
        """The tables that the token encoder reads have rows."""
        least = 262 if self.token_encoder == "char_cnn" else 0
        if self.n_characters < least:
            raise ValueError(f"n_characters is {self.n_characters}; expected at least {least}.")
        if self.token_encoder in ("word", "subword") and self.n_words < 3:
            raise ValueError(f"n_words is {self.n_words}; expected at least 3: padding and the two sentence markers.")
        if self.token_encoder == "word_char" and (self.n_words > 0) != (self.word_dim > 0):
            raise ValueError(f"n_words is {self.n_words} and word_dim {self.word_dim}; expected both or neither.")
        if self.token_encoder == "word_char" and not self.n_words and not self.n_characters:
            raise ValueError("n_words and n_characters are 0; expected a table of words, of characters, or both.")
        width = self.row_width
        if self.marker_rows is not None and [len(row) for row in self.marker_rows] != [width, width]:
            raise ValueError(f"marker_rows is {self.marker_rows}; expected two rows of {width} numbers.")
        largest = max(self.n_words, self.n_characters)
        if any(not 0 <= number < largest for row in self.marker_rows or [] for number in row):
            raise ValueError(f"marker_rows is {self.marker_rows}; expected numbers from 0 to {largest - 1}.")

    @property
    def row_width(self) -> int:
        """Integers that the token encoder reads of a word."""
        if self.token_encoder == "word":
            return 1
        if self.token_encoder == "subword":
            return self.max_pieces_per_token
        return self.max_characters_per_token + (self.token_encoder == "word_char")

    @property
    def input_width(self) -> int:
        """Integers that a task model reads of a word: the biLM's, the number of its static vector, its spelling."""
        return self.row_width + (self.n_static_words > 0) + SPELLING_WIDTH * (self.char_features > 0)

    def validate_context(self) -> None:
        """The encoder of a translator has one layer of output, as wide as its word vectors side by side."""
        if self.context_layers < 0:
            raise ValueError(f"context_layers is {self.context_layers}; expected at least 0.")
        if self.context_layers and (self.n_layers, self.directions, self.warm_state) != (1, 2, False):
            raise ValueError("context_layers is above 0; expected n_layers 1, directions 2 and no warm_state.")
        if self.context_layers and self.cell_dim != self.projection_dim:
            raise ValueError(
                f"cell_dim is {self.cell_dim}; expected projection_dim ({self.projection_dim}) with context_layers."
            )

    def validate_mix_at(self) -> None:
        """A mix between two layers has two layers, and the first of them something to read."""
        if self.mix_at == "input":
            return
        if self.head_layers < 2:
            raise ValueError(f"head_layers is {self.head_layers}; expected at least 2 with mix_at {self.mix_at!r}.")
        if self.mix_at == "between" and not self.n_static_words and not self.char_features:
            raise ValueError(
                "mix_at is 'between', without static vectors or char features the first layer has nothing to read; "
                "expected char_features above 0, static vectors, or mix_at 'both'."
            )

    def validate_rates(self) -> None:
        """Dropout rates lie in [0, 1); clips and penalties are positive."""
        for name in ("dropout", "weight_dropout", "mix_dropout", "head_dropout", "label_smoothing"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; expected a rate in [0, 1).")
        for name in ("cell_clip", "proj_clip"):
            if getattr(self, name) is not None and not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; expected a positive bound (or no value).")
        if not self.adaptive_div_value >= 1:
            raise ValueError(f"adaptive_div_value is {self.adaptive_div_value}; expected 1 or more.")
        if not self.mix_l2 >= 0:
            raise ValueError(f"mix_l2 is {self.mix_l2}; expected 0 or more.")

    def validate_filters(self) -> None:
        """Filters are `[width, number]` pairs that fit into a word."""
        if not self.filters:
            raise ValueError("filters is empty; expected at least one [width, number] pair.")
        for pair in self.filters:
            if len(pair) != 2 or min(pair) < 1 or pair[0] > self.max_characters_per_token:
                raise ValueError(
                    f"filters holds {pair}; expected [width, number] with a width of 1 to max_characters_per_token "
                    f"({self.max_characters_per_token}) and a positive number."
                )

    def validate_cutoffs(self) -> None:
        """Adaptive cutoffs rise and end below the vocabulary size."""
        cutoffs = self.adaptive_cutoffs
        if cutoffs is None:
            return
        rising = all(low < high for low, high in zip([0, *cutoffs], cutoffs, strict=False))
        if not rising or (self.vocab_size and cutoffs and cutoffs[-1] >= self.vocab_size):
            raise ValueError(f"adaptive_cutoffs is {cutoffs}; expected rising positive numbers below vocab_size.")


def _unknown_field(name: str) -> str:
    known = sorted(ElmoConfig.__dataclass_fields__)
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else f" Known: {', '.join(k for k in known if k in _own_fields())}."
    return f"Unknown model setting {name!r}.{hint}"


def _own_fields() -> set[str]:
    return set(ElmoConfig.__dataclass_fields__) - set(PreTrainedConfig.__dataclass_fields__)
