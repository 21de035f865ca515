"""`elmo-mini` and `elmo-small`: from the open English text to shipped language models."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.pretrain.perplexity import evaluate_text
from elmokit.pretrained import write_about
from elmokit.whole_files import replacing
from shipping import card, history
from shipping.steps import pretrain, printed, python, vectors
from shipping.storage import millions, parameters, store

SHIPPED = Path(__file__).parents[2] / "src" / "elmokit" / "pretrained"
ENGLISH = Path("runs/english")
TERMS = (
    "Weights: Apache 2.0, as the package. Their text: public domain, CC0, CC BY, CC BY-SA (Wikipedia, Stack Exchange, "
    "EWT), MIT, BSD, OANC and MASC (free for any use)."
)
_PAGES = {
    "elmo-mini": "Small and quick: the default model of the package.",
    "elmo-small": "The larger of the two that come with the package: spelling alone, no table of words. It was grown "
    "out of `elmo-mini`, whose stages come first in the table below.",
}


@dataclass(frozen=True)
class Recipe:
    """How one of the two is made.

    Args:
        name: Of the shipped model.
        config: Configuration of its run at a constant rate; a later stage has another.
        table: Its table of words begins with skip-gram vectors of the same text, of this size; 0: it has none.
        decay_updates: Updates of the decay that ends a stage.
        head_words: Words the small head is fitted on; 0: the run has trained it, and it stays.
        start: The shipped model it is grown out of, by `recipes/grow_model.py`; None: it starts at random.
        grow: Settings of that recipe.
        static: Options of `elmo train vectors`, whose vectors of the whole text that recipe gets; None: it gets none.
    """

    name: str
    config: Path
    table: int
    decay_updates: int
    head_words: int
    start: str | None = None
    grow: tuple[str, ...] = ()
    static: str | None = None

    @property
    def runs(self) -> Path:
        """Where the runs of this configuration lie."""
        return Path("runs") / self.config.stem.removesuffix("_pretrain")


def ship(recipe: Recipe, data: Path, *, now: bool) -> None:
    """Text, run, decay, small head, stored weights, card.

    Args:
        recipe: What to make.
        data: The data folder.
        now: Decay the run as it stands, finished or not; else it is trained to its end before.
    """
    python("recipes/prepare_english.py", data, ENGLISH)
    if recipe.table:
        vectors(
            recipe.runs / f"skipgram{recipe.table}.txt", "--method", "skipgram", "--train", ENGLISH / "train.txt",
            "--dim", str(recipe.table), "--window", "5", "--epochs", "1", "--set", "max_vocab=30000",
        )  # fmt: skip
    if recipe.start is not None and not (recipe.runs / "grown").is_dir():
        settings: list[str | Path] = [part for setting in recipe.grow for part in ("--set", setting)]
        if recipe.static is not None:
            file = recipe.runs / "static.txt"
            file.parent.mkdir(parents=True, exist_ok=True)
            vectors(file, "--train", ENGLISH / "train.txt", *recipe.static.split())
            settings += ["--vectors", file]
        python("recipes/grow_model.py", recipe.start, "--output", recipe.runs / "grown", *settings)
    long, decay = recipe.runs / "long", recipe.runs / "decay"
    small = recipe.runs / "small_head" if recipe.head_words else decay
    if not (now and (long / "checkpoints").is_dir()):
        pretrain(long, "--config", recipe.config)
    pretrain(decay, "--decay-from", long, "--set", f"decay_steps={recipe.decay_updates}")
    if not small.is_dir():
        python(
            "recipes/fit_head.py", decay, "--train", _first_words(recipe), "--valid", ENGLISH / "valid.txt",
            "--output", small, "--set", f"train_words={recipe.head_words}",
        )  # fmt: skip
    folder = SHIPPED / recipe.name
    fit = json.loads((small / "head_fitting.json").read_text(encoding="utf-8")) if recipe.head_words else None
    earlier = history.read(folder if recipe.start is None else SHIPPED / recipe.start)
    stages = [*earlier, history.finished_stage(str(recipe.config), decay, fit=fit)]
    model = store(ElmoForPreTraining, small, folder)
    history.write(folder, stages)
    assert isinstance(model, ElmoForPreTraining)
    card.write(folder, _blocks(recipe, model, folder, data, stages))
    write_about(folder, summary=f"English biLM, {millions(model)} parameters with its language-model head",
                terms=TERMS, parameters=parameters(model))  # fmt: skip
    card.report(folder)


def _commands(name: str, stages: list[history.Stage]) -> str:
    """A line for each stage that the model was not grown out of."""
    command, own = f"python recipes/ship_models.py {name} $ELMOKIT_DATA", name.replace("-", "_")
    configs = [stage.config for stage in stages if Path(stage.config).name.startswith(own)]
    return "\n".join([command, *(f"{command} --now --config {config}" for config in configs[1:])])


def _first_words(recipe: Recipe) -> Path:
    """The first sentences of the training text, which is shuffled by document: a head needs no more."""
    file = recipe.runs / "head_text.txt"
    if not file.is_file():
        words = 0
        with (
            replacing(file) as partial,
            partial.open("w", encoding="utf-8") as excerpt,
            (ENGLISH / "train.txt").open(encoding="utf-8") as text,
        ):
            for line in text:
                if words >= recipe.head_words:
                    break
                words += len(line.split())
                excerpt.write(line)
    return file


def _blocks(
    recipe: Recipe, model: ElmoForPreTraining, folder: Path, data: Path, stages: list[history.Stage]
) -> list[str]:
    sources = json.loads((ENGLISH / "sources.json").read_text(encoding="utf-8"))
    config = model.config
    return [
        card.front(
            "feature-extraction", ["elmo", "elmokit", "bilm", "contextual-word-embeddings"], license="apache-2.0"
        ),
        f"# {recipe.name}",
        f"An English ELMo (Peters et al. 2018) for a CPU. {_PAGES[recipe.name]} The network: {card.shape(config)} "
        f"{millions(model)} parameters ({parameters(model.elmo) / 1e6:.1f} M without the language-model head, which is "
        "included: `elmo evaluate`, `Encoder.score`, `Encoder.substitutes`).",
        card.example(
            "from elmokit import Encoder\n\n"
            f'encoder = Encoder.from_pretrained("{recipe.name}")\n'
            'vectors = encoder.encode(["The bank raised its rates."], layers="top")[0]  # (words, '
            f"{2 * config.projection_dim})"
        ),
        "## Text\n\n" + card.sources(sources),
        "Every sentence of eight words or more that occurs in a test or validation file of the sets the project "
        "measures on was removed (short sentences of the English Web Treebank, too), and half a per cent of the "
        "documents of each source is held out. Encyclopaedias are close to half of the text and keep their weight: "
        "they are the broadest source by far. Formal sources that repeat set phrases are halved, small informal ones "
        "doubled, and the novels of one author are cut to a quarter.",
        "## Training\n\n" + card.training(stages, _commands(recipe.name, stages)),
        "## Perplexity\n\nOf the stored float16 weights, exact softmax, sentence ends counted, unknown words "
        "predicted as `<UNK>`.\n\n" + _perplexities(folder, data),
        "WikiText-2 is read one paragraph per line, words at spaces, cut at 200 words. Models trained on its own "
        "training set see text of its kind and predict another vocabulary: not comparable.",
        "## Vectors\n\nShare of cases that come out right by layer (layer 0 is the token layer), by `elmo probe`:\n\n"
        + printed(
            "-m",
            "elmokit",
            "probe",
            folder,
            "--train",
            data / "conll2000" / "train.txt.gz",
            "--test",
            data / "conll2000" / "test.txt.gz",
            "--tag-column",
            "2",
            data=data,
        ),
        "Word and sentence similarity, sentiment and entities, beside an untrained network of the same shape, by "
        "`recipes/judge_vectors.py`:\n\n" + printed("recipes/judge_vectors.py", folder, "--untrained", data=data),
        "What the vectors are worth in tasks is in `docs/results.md` of the project, each figure with its command.",
        "## Limits and biases\n\nA twentieth or less of the words that the published models read. Edited English "
        "above all: encyclopaedias, textbooks, abstracts, government; little talk, few dialects. The novels and "
        "older speeches carry the prejudices of their time, encyclopaedias those of their authors: who is written "
        "about, and which words go with which people. Not audited for bias. English only.",
    ]


def _perplexities(folder: Path, data: Path) -> str:
    names = {"held out, all sources": ENGLISH / "valid.txt"}
    names |= {f"held out: {file.stem}": file for file in sorted((ENGLISH / "valid").glob("*.txt"))}
    found = {name: evaluate_text(folder, file) for name, file in names.items() if file.stat().st_size}
    found["WikiText-2 test"] = evaluate_text(folder, data / "wikitext2" / "test.txt.gz", pre_split=True)
    return card.perplexities(found)
