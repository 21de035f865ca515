"""What may stand in the `config.json` of a model."""

from __future__ import annotations

from dataclasses import fields

from elmokit.nn.config import NetworkConfig
from elmokit.saved_model.heads import HEADS
from elmokit.text.preprocessing import Preprocessing

CONFIG_FILE = "config.json"

MODEL_FIELDS = frozenset(
    field.name
    for part in (NetworkConfig, Preprocessing, *(head.shape for head in HEADS.values()))
    for field in fields(part)
)
"""Our own."""

TRANSFORMERS_KEYS = frozenset(
    {"attn_implementation", "auto_map", "experts_implementation", "model_type", "name_or_path", "num_labels"}
    | {"output_attentions", "tie_word_embeddings", "torch_dtype", "hidden_size", "use_cache"}
    | {"bos_token_id", "eos_token_id", "pad_token_id"}  # `Trainer` copies them from the tokenizer
)
"""What transformers itself puts into a config without declaring it as a field."""

TRANSFORMERS_FIELDS = frozenset(
    {
        "architectures",
        "base_config_key",
        "base_model_ep_plan",
        "base_model_fsdp_plan",
        "base_model_pp_plan",
        "base_model_tp_plan",
        "chunk_size_feed_forward",
        "dtype",
        "extra_config_files",
        "extra_files",
        "is_encoder_decoder",
        "label2id",
        "output_hidden_states",
        "return_dict",
        "sub_configs_defaults",
        "transformers_version",
    }
)
"""What it declares; a test holds them together."""
