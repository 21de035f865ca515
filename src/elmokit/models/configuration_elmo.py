"""`ElmoConfig`: every number that gives a biLM and its heads their shape, as transformers keeps it."""

# No `from __future__ import annotations` here: `@strict` checks field types at run time, and skips string types.

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from huggingface_hub.dataclasses import strict
from huggingface_hub.errors import StrictDataclassError
from transformers import PreTrainedConfig

from elmokit.errors import ConfigError
from elmokit.nn.config import PRESETS, NetworkConfig
from elmokit.nn.heads.shapes import (
    QuestionAnsweringShape,
    SequenceClassificationShape,
    TokenClassificationShape,
    TranslationShape,
)
from elmokit.nn.typed_fields import refuse_unknown
from elmokit.saved_model.fields import MODEL_FIELDS, TRANSFORMERS_KEYS
from elmokit.saved_model.remote_code import AUTO_MAP, write_remote_file
from elmokit.text.preprocessing import Preprocessing

__all__ = ["PRESETS", "ElmoConfig"]


@strict
class ElmoConfig(  # type: ignore[no-untyped-call]
    PreTrainedConfig,
    Preprocessing,
    SequenceClassificationShape,
    TokenClassificationShape,
    QuestionAnsweringShape,
    TranslationShape,
):
    r"""Shape and training settings of an ELMo model. The default shape is the preset `mini`.

    Token encoder (Peters et al. 2018, §3.1; Kim et al. 2016)
        token_encoder (`"char_cnn"`, `"word"`, `"subword"` or `"word_char"`, *optional*, defaults to `"char_cnn"`):
            characters; whole words looked up; pieces of words; words and characters side by side (ELMoForManyLangs).
        n_words (`int`, *optional*, defaults to 0): rows of the table of words or pieces, padding included; 0: none.
        max_pieces_per_token (`int`, *optional*, defaults to 12): pieces of a word that are read (`subword`).
        word_dim (`int`, *optional*, defaults to 0): size of a word's own vector, next to its characters (`word_char`).
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
        warm_state (`bool`, *optional*, defaults to `False`): the model contains the state its sentences start from.
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
        n_static_words (`int`, *optional*, defaults to 0): rows of a table of static vectors that are next to the mixed
            layers, the row of unknown words included (Peters et al. 2018, §3.3: [x; ELMo]); 0: none.
        static_dim (`int`, *optional*, defaults to 0): size of a static vector.
        char_features (`int`, *optional*, defaults to 0): filters, three characters wide, of a char CNN of the tagger's
            own, whose maxima are next to the mixed layers (the baseline of Peters et al. 2018, §4); 0: none.
        mix_at (`"input"`, `"between"` or `"both"`, *optional*, defaults to `"input"`): where a tagger reads the mixed
            layers: at the input of its BiLSTM, next to the states of the BiLSTM's first layer (the best of three places
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

    def __post_init__(self, **kwargs: Any) -> None:
        given = [key for key in kwargs if not key.startswith("_") and key not in TRANSFORMERS_KEYS]
        refuse_unknown(given, MODEL_FIELDS)
        kwargs.pop("hidden_size", None)  # derived; some tools write it into config.json
        NetworkConfig.__post_init__(self)
        super().__post_init__(**kwargs)  # type: ignore[no-untyped-call]

    def save_pretrained(self, save_directory: str | PathLike[str], *args: Any, **kwargs: Any) -> None:
        """See `transformers.PreTrainedConfig`; the file that the Auto classes load is written next to it."""
        self.auto_map = dict(AUTO_MAP)
        if not Path(save_directory).is_file():  # else transformers says what is wrong
            write_remote_file(Path(save_directory))
        super().save_pretrained(save_directory, *args, **kwargs)

    @classmethod
    def register_for_auto_class(cls, auto_class: str = "AutoConfig") -> None:
        """Nothing: transformers would copy this module into every folder that is saved afterwards."""

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> "ElmoConfig":
        """A configuration from plain values, every mistake told in one line.

        Raises:
            ConfigError: An unknown field, or a value of the wrong type or range.
        """
        try:
            return cls(**values)
        except StrictDataclassError as error:
            raise ConfigError(f"Model configuration: {error.__cause__ or error}") from error

    def validate_fields(self) -> None:
        """Every value is in its range, and they fit each other. Run by `@strict` after every construction."""
        self.check()
