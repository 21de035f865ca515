"""The model behind an `Encoder`: chosen by what is installed, opened, checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from elmokit.encode.backend import Backend, BackendName
from elmokit.errors import ConfigError, ModelError
from elmokit.extras import install_command, needs
from elmokit.saved_model import SavedModel
from elmokit.text.preprocessing import Preprocessing
from elmokit.text.word_rows import ByteRows, WordRows

if TYPE_CHECKING:
    from elmokit.encode.torch_backend import TorchBackend
    from elmokit.nn.layer_mix import LayerMix
    from elmokit.nn.network import ElmoNetwork, HasNetwork


@dataclass(frozen=True)
class Loaded:
    """A model as `Encoder.from_pretrained` found it.

    Attributes:
        backend: What computes.
        preprocessing: How the text of its training was prepared.
        saved: The folder of a model of ours.
        notes: What was repaired, a sentence each.
    """

    backend: Backend
    preprocessing: Preprocessing
    saved: SavedModel | None
    notes: Sequence[str] = field(default_factory=list)


def opened(
    path: str | Path,
    *,
    backend: BackendName | None,
    device: str | None,
    dtype: str,
    warm: bool,
    options: str | Path | None,
    vocabulary: str | Path | None,
    sha256: str | None,
    memory: int | None,
) -> Loaded:
    """See `Encoder.from_pretrained`, whose errors are raised here."""
    if backend not in (None, *get_args(BackendName)):
        raise ConfigError(f"Unknown backend {backend!r}. Expected one of: {', '.join(get_args(BackendName))}.")
    if (backend or ("torch" if find_spec("torch") is not None else "onnx")) == "onnx":
        from elmokit.encode.onnx_backend import OnnxBackend
        from elmokit.interop.our_folders import OurFolder
        from elmokit.interop.recognise import recognised

        elsewhere = f"needs the backend 'torch': {install_command('torch')}"
        if device not in (None, "cpu"):
            raise ConfigError(f"device {device!r} {elsewhere}; the backend 'onnx' computes on the CPU")
        if dtype != "float32":
            raise ConfigError(f"dtype {dtype!r} {elsewhere}; the backend 'onnx' computes in float32")
        with recognised(path, options=options, vocabulary=vocabulary, sha256=sha256) as source:
            if not isinstance(source, OurFolder):
                raise ModelError(
                    f"{path} is not an elmokit model folder; convert it first with `elmo convert`, which "
                    f"needs PyTorch: {install_command('torch,published')}"
                )
            saved = source.open_language_model()
            return Loaded(OnnxBackend(saved, memory=memory), saved.preprocessing, saved)
    needs("backend 'torch'", "torch")
    from elmokit.encode.torch_backend import TorchBackend, chosen_device
    from elmokit.interop.loading import load

    place = chosen_device(device)
    found = load(path, options=options, vocabulary=vocabulary, dtype=dtype, sha256=sha256, warm=warm)
    computing = TorchBackend(found.model.to(place), found.rows, mix=found.mix, saved=found.saved, memory=memory)
    return Loaded(computing, found.preprocessing, found.saved, found.notes)


def network_backend(
    model: ElmoNetwork | HasNetwork,
    *,
    rows: WordRows | None,
    mix: LayerMix | None,
    saved: SavedModel | None,
    memory: int | None,
    device: str | None,
) -> tuple[TorchBackend, Preprocessing | None]:
    """A network that somebody built, and the preprocessing that its configuration has, if it has one.

    Raises:
        ConfigError: It looks words up, and `rows` is missing; or an unknown `device`.
    """
    from elmokit.encode.torch_backend import TorchBackend, chosen_device
    from elmokit.nn.network import network_of

    network = network_of(model)
    if device is not None:
        network = network.to(chosen_device(device))
    config = network.config
    if rows is None:
        if config.kind.needs_lexicon:
            raise ConfigError(f"A model with the token encoder {config.token_encoder!r} needs its word rows.")
        rows = ByteRows(config.max_characters_per_token)
    preprocessing = config if isinstance(config, Preprocessing) else None  # an `ElmoConfig` has both
    return TorchBackend(network, rows, mix=mix, saved=saved, memory=memory), preprocessing
