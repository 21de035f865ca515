"""Words a second of `Encoder` against a plain PyTorch version of AllenNLP's method and, with --peers, simple_elmo.

    python benchmarks/encode_speed.py [--shapes small original] [--sentences 256] [--threads 2] [--rounds 3] [--peers]
                                      [--memory 1GB]

Random weights in the shapes of published models, real sentences in their given order (the Brown corpus in
$ELMOKIT_DATA). Every encoder is fresh in each round, so no word vector is there from the round before. The rounds of
all rows are interleaved and the best of each counts. --memory adds rows with larger batches. --peers makes an
environment of its own for simple_elmo 0.9.2 on tensorflow-cpu 2.15.1 in --peer-folder (some minutes and a gigabyte the
first time); simple_elmo is only called.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import cast

import elmokit  # before torch: sets how OpenMP waits

# isort: split
import torch
from brown import brown
from torch import Tensor, nn
from torch.nn import functional

from elmokit import Encoder
from elmokit.interop.bilm_hdf5 import write_bilm
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.modeling_elmo import ElmoModel
from elmokit.nn.char_cnn import CharCNN
from elmokit.nn.lstm import ProjectedLSTM
from elmokit.nn.network import ElmoNetwork
from elmokit.text.char_ids import char_ids, marker_char_ids
from elmokit.text.word_rows import ByteRows

ALONE = ", one at a time"
PEERS = ["simple_elmo==0.9.2", "tensorflow-cpu==2.15.1", "numpy<2", "h5py", "pandas", "smart_open"]
PEER_SCRIPT = """
import json, os, sys, time
folder, sentences, threads = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)
from simple_elmo import ElmoModel
model = ElmoModel()
model.load(folder, max_batch_size=64)
model.get_elmo_vectors(sentences[:64])
orders = {"given": sentences, "sorted": sorted(sentences, key=len)}
print("READY", flush=True)
for line in sys.stdin:
    model.get_elmo_vectors(orders[line.strip()], warmup=False)
    print("DONE", flush=True)
"""


class PlainElmo(nn.Module):
    """AllenNLP's method: every position of a padded batch through the char CNN, a cell at a time through the LSTMs."""

    def __init__(self, network: ElmoNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, lengths: Tensor) -> list[Tensor]:
        encoder = cast(CharCNN, self.network.token_encoder)
        batch, time_, width = ids.shape
        embedded = encoder.embedding(ids.view(-1, width)).transpose(1, 2)
        x = functional.relu(torch.cat([conv(embedded).max(dim=2).values for conv in encoder.convolutions], dim=1))
        for highway in encoder.highways:
            x = highway(x)
        tokens = (x if encoder.projection is None else encoder.projection(x)).view(batch, time_, -1)
        layers = [torch.cat([tokens, tokens], dim=2)]
        places = torch.arange(time_)
        flipped = torch.where(places < lengths[:, None], lengths[:, None] - 1 - places, places)
        inputs = [tokens, tokens.gather(1, flipped.unsqueeze(2).expand(-1, -1, tokens.shape[2]))]
        for number, layer in enumerate(cast(Iterable[ProjectedLSTM], self.network.bilm.layers)):
            outputs = []
            for direction in range(2):
                w_in, w_h = layer.weight_input[direction], layer.weight_hidden[direction]
                projection = cast(Tensor, layer.weight_projection)
                h = tokens.new_zeros(batch, layer.output_dim)
                c = tokens.new_zeros(batch, layer.cell_dim)
                steps = []
                for t in range(time_):
                    z = functional.linear(inputs[direction][:, t], w_in) + functional.linear(
                        h, w_h, layer.bias[direction]
                    )
                    o, i, f, g = z.chunk(4, dim=1)
                    c = (f.sigmoid() * c + i.sigmoid() * g.tanh()).clamp(-3, 3)
                    h = ((o.sigmoid() * c.tanh()) @ projection[direction]).clamp(-3, 3)
                    steps.append(h)
                y = torch.stack(steps, dim=1)
                outputs.append(y + inputs[direction] if number else y)
            inputs = outputs
            back = outputs[1].gather(1, flipped.unsqueeze(2).expand(-1, -1, outputs[1].shape[2]))
            layers.append(torch.cat([outputs[0], back], dim=2))
        return layers

    @torch.inference_mode()
    def encode(self, sentences: list[list[str]], *, batch_size: int = 64) -> None:
        begin, end = torch.from_numpy(marker_char_ids()).long()
        for start in range(0, len(sentences), batch_size):
            batch = sentences[start : start + batch_size]
            lengths = torch.tensor([len(words) + 2 for words in batch])
            ids = torch.zeros(len(batch), int(lengths.max()), 50, dtype=torch.long)
            for row, words in zip(ids, batch, strict=True):
                row[0], row[len(words) + 1] = begin, end
                row[1 : len(words) + 1] = torch.from_numpy(char_ids(words)).long()
            self(ids, lengths)


def gemm_rate() -> float:
    """FLOP/s of a product of 1024³ in float32."""
    left, right = torch.randn(1024, 1024), torch.randn(1024, 1024)
    times = []
    for _ in range(8):
        began = time.perf_counter()
        torch.mm(left, right)
        times.append(time.perf_counter() - began)
    return 2 * 1024**3 / min(times)


def flops(config: ElmoConfig, sentences: list[list[str]]) -> float:
    """Products of one pass: LSTMs at every position, the char CNN once a distinct word at its real length."""
    positions = sum(len(words) + 2 for words in sentences)
    size, cell = config.projection_dim, config.cell_dim
    lstm = 2 * config.n_layers * (4 * cell * 2 * size + (cell * size if size < cell else 0))
    filters = config.filters or []
    total = sum(count for _, count in filters)
    kernel = sum(width * count for width, count in filters) * config.char_embedding_dim
    distinct = {word for words in sentences for word in words}
    windows = sum(min(50, len(word.encode()) + 2) for word in distinct)
    dense = config.n_highway * 2 * total * total + total * size
    return 2.0 * (positions * lstm + windows * kernel + len(distinct) * dense)


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


class Peer:
    """simple_elmo in a process of its own: `run` makes it embed the sentences once, so its rounds stand among ours."""

    def __init__(self, model: ElmoModel, environment: Path, sentences: list[list[str]], *, threads: int) -> None:
        python = environment / "bin" / "python"
        if not python.exists():
            subprocess.run([sys.executable, "-m", "venv", environment], check=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
        self._scratch = tempfile.TemporaryDirectory()
        folder = Path(self._scratch.name)
        write_bilm(model, ByteRows(50), folder / "model")
        (folder / "sentences.json").write_text(json.dumps(sentences), encoding="utf-8")
        command = [python, "-c", PEER_SCRIPT, folder / "model", folder / "sentences.json", str(threads)]
        self._errors = (folder / "errors").open("w+")
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, text=True
        )
        self._expect("READY")

    def run(self, order: str) -> None:
        """Embed the sentences in the `given` order, or `sorted` beforehand."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        self._expect("DONE")

    def close(self) -> None:
        """End it."""
        self._process.communicate()
        self._errors.close()
        self._scratch.cleanup()

    def _expect(self, word: str) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip() == word:
                return
        self._errors.seek(0)
        sys.exit(f"simple_elmo failed:\n{self._errors.read()[-2000:]}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shapes", nargs="+", default=["small", "original"])
    parser.add_argument("--sentences", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--dtypes", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--single", type=int, default=16, help="sentences of the run one at a time")
    parser.add_argument("--memory", help="also embed with this `memory=`, and all sentences as one batch if it allows")
    parser.add_argument("--peers", action="store_true")
    parser.add_argument("--peer-folder", type=Path, default=Path("runs/benchmark/simple_elmo"))
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    sentences = brown(arguments.sentences)
    distinct = len({word for line in sentences for word in line})
    print(f"elmokit {elmokit.__version__}, torch {torch.__version__}, {arguments.threads} threads")
    ceiling = gemm_rate()
    counts = f"{len(sentences)} sentences, {sum(map(len, sentences)):,} words, {distinct:,} different"
    print(f"{counts}; float32 GEMM {ceiling / 1e9:,.0f} GFLOP/s")
    for shape in arguments.shapes:
        measure(shape, sentences, arguments, ceiling)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\npeak memory of this process {peak:,.0f} MB (two models and the plain version included)")


def measure(shape: str, sentences: list[list[str]], arguments: argparse.Namespace, ceiling: float) -> None:
    """All rows of one shape."""
    torch.manual_seed(0)
    words = sum(map(len, sentences))
    model = ElmoModel(ElmoConfig.preset(shape)).eval()  # type: ignore[no-untyped-call]
    plain = PlainElmo(model.network)
    best: dict[str, float] = {}
    models = {f"elmokit {dtype}": _as(model, dtype) for dtype in arguments.dtypes}
    ways: dict[str, Callable[[], object]] = {name: partial(fresh, each, sentences) for name, each in models.items()}
    if arguments.memory is not None:
        for name, each in models.items():
            more = partial(fresh, each, sentences, memory=arguments.memory, batch_size=len(sentences))
            ways[f"{name}, memory {arguments.memory}"] = more
    ways["AllenNLP's method"] = lambda: plain.encode(sentences)
    peer = None
    if arguments.peers:
        peer = Peer(model, arguments.peer_folder, sentences, threads=arguments.threads)
        ways["simple_elmo"] = partial(peer.run, "given")
        ways["simple_elmo, sorted beforehand"] = partial(peer.run, "sorted")
    for _ in range(arguments.rounds):
        for name, work in ways.items():
            best[name] = max(best.get(name, 0.0), words / timed(work))
    if peer is not None:
        peer.close()
    few = sentences[: arguments.single]
    singles: dict[str, Callable[[], object]] = {
        f"{name}{ALONE}": partial(one_at_a_time, each, few) for name, each in models.items()
    }
    singles[f"AllenNLP's method{ALONE}"] = lambda: plain.encode(few, batch_size=1)
    for _ in range(arguments.rounds):
        for name, work in singles.items():
            best[name] = max(best.get(name, 0.0), sum(map(len, few)) / timed(work))
    exact = Encoder(model).encode(few, is_split_into_words=True)
    for name, each in models.items():
        found = Encoder(each).encode(few, is_split_into_words=True)
        worst = max(float(abs(one - other).max() / abs(other).max()) for one, other in zip(found, exact, strict=True))
        print(f"{name}: largest difference from float32 / largest number, {worst:.1e}")
    share = flops(model.config, sentences) * best["elmokit float32"] / words / ceiling
    print(f"\n{shape}: {model.num_parameters():,} parameters; float32 products at {share:.0%} of the GEMM rate")
    for name, rate in best.items():
        alone = ALONE if name.endswith(ALONE) else ""
        others = (
            [f"AllenNLP's method{alone}", *([] if alone else ["simple_elmo"])] if name.startswith("elmokit") else []
        )
        ratios = "".join(f"  {rate / best[other]:5.2f} × {other}" for other in others if other in best)
        print(f"  {name:<34}{rate:>8,.0f} words/s{ratios}")


def fresh(model: ElmoModel, sentences: list[list[str]], *, memory: str | None = None, batch_size: int = 256) -> None:
    """A pass of an encoder that knows no word yet."""
    Encoder(model, memory=memory).encode(sentences, is_split_into_words=True, batch_size=batch_size)


def one_at_a_time(model: ElmoModel, sentences: list[list[str]]) -> None:
    encoder = Encoder(model)
    for sentence in sentences:
        encoder.encode([sentence], is_split_into_words=True)


def _as(model: ElmoModel, dtype: str) -> ElmoModel:
    if dtype == "float32":
        return model
    other = ElmoModel(model.config)
    other.load_state_dict(model.state_dict())
    converted: ElmoModel = other.to(getattr(torch, dtype)).eval()
    return converted


if __name__ == "__main__":
    main()
