"""Make the models that come with the package, from the data to `src/elmokit/pretrained/NAME`.

    python recipes/ship_models.py elmo-mini $ELMOKIT_DATA
    python recipes/ship_models.py elmo-mini-news $ELMOKIT_DATA

Steps whose result lies in `runs/` are passed over and unfinished ones go on, so the command may be stopped and given
again. The weights are stored in float16; every figure of the card but those of training is measured on the stored ones.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from elmokit.encode.common_component import COMPONENT_FILE
from elmokit.encode.word_weights import COUNTS_FILE
from elmokit.models.configuration_elmo import ElmoConfig
from elmokit.models.loading import load
from elmokit.models.modeling_elmo import ElmoPreTrainedModel
from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.models.quiet import quiet_transformers
from elmokit.pretrain.perplexity import TextEvaluation, evaluate_text
from elmokit.pretrained import write_about
from elmokit.tasks.classification import Classifier
from elmokit.whole_files import write_text

ROOT = Path(__file__).parents[1]
SHIPPED = ROOT / "src" / "elmokit" / "pretrained"
ENGLISH = Path("runs/english")
MINI = Path("runs/elmo_mini")
NEWS = Path("runs/elmo_mini_news")
ROWS = Path("runs/ag_news/rows")

_SOURCES = {
    "haggard_novels": ("60 novels of H. Rider Haggard (Project Gutenberg)", "public domain"),
    "us_speeches": ("State of the Union and inaugural addresses", "public domain"),
    "wikisplit": ("WikiSplit: sentences of Wikipedia", "CC BY-SA 4.0"),
    "ud_ewt": ("English Web Treebank: the sentences", "CC BY-SA 4.0"),
    "gum_open": ("GUM: Wikinews, OpenStax, Wikivoyage and speeches", "CC BY and public domain"),
    "masc": ("MASC: written and spoken American English", "free for any use"),
    "squad_train_passages": ("SQuAD 1.1: passages of the training set (Wikipedia)", "CC BY-SA 4.0"),
}
_MINI_TERMS = (
    "Weights: Apache 2.0, as the package. Their text: public domain, CC BY, CC BY-SA 4.0 (Wikipedia, EWT), MASC (free)."
)
_NEWS_TERMS = "Research and other non-commercial use only: so the AG corpus, its training text, may be used."


def main() -> None:
    """Make the one that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=["elmo-mini", "elmo-mini-news"])
    parser.add_argument("data", type=Path)
    arguments = parser.parse_args()
    (ship_mini if arguments.name == "elmo-mini" else ship_news)(arguments.data)


def ship_mini(data: Path) -> None:
    """Text, biLM, stored weights, card."""
    texts, run = ENGLISH / "elmo_mini", MINI / "bilm"
    _python("recipes/prepare_english.py", data, ENGLISH)
    _pretrain("configs/elmo_mini_pretrain.yaml", run)
    folder = SHIPPED / "elmo-mini"
    model = _store(ElmoForPreTraining, run, folder)
    held_out = evaluate_text(folder, texts / "valid.txt", next_word=True)
    wikitext = evaluate_text(folder, data / "wikitext2" / "test.txt.gz", pre_split=True)
    sources = json.loads((texts / "sources.json").read_text(encoding="utf-8"))
    blocks = [
        _front("feature-extraction", ["elmo", "elmokit", "bilm", "contextual-word-embeddings"], license="apache-2.0"),
        "# elmo-mini",
        "A small English ELMo (Peters et al. 2018) for a CPU: " + _shape(model.config) + f" {_count(model)} parameters "
        f"({_count(model.elmo)} without the language-model head, which is here too: `elmo evaluate`, "
        "`Encoder.score`, `Encoder.substitutes`).",
        _use(
            "from elmokit import Encoder\n\n"
            'encoder = Encoder.from_pretrained("elmo-mini")\n'
            'vectors = encoder.encode(["The bank raised its rates."], layers="top")[0]  # (words, '
            f"{2 * model.config.projection_dim})"
        ),
        "## Text\n\n" + _source_table(sources),
        "Sentences whose letters stand in the same order in a validation or test file of WikiText-2, Penn Treebank, "
        "CoNLL, SST, SQuAD or the other sets the project measures on were left out "
        f"({sources['all']['in a test set']} sentences). Validation: half a percent of the paragraphs. "
        "No news but Wikinews; 60 % of the words are from novels of one author, written around 1900.",
        "## Training\n\n" + _training([run], "python recipes/ship_models.py elmo-mini $ELMOKIT_DATA"),
        "## Perplexity\n\nOf the stored float16 weights, by the full softmax, sentence ends counted, unknown words "
        "predicted as `<UNK>`.\n\n"
        + _perplexities({"held-out sentences of its own text": held_out, "WikiText-2 test (other text)": wikitext})
        + "\n\nWikiText-2 is tokenised otherwise (`@-@`, `<unk>` for rare words) and was read a paragraph a line, cut "
        "at 200 words. The figures of models trained on its own training set are not comparable.",
        "## Tasks\n\nWhat the layers know, by `elmo probe` (layer 0 is the token layer; share of cases "
        "that come out right):\n\n"
        + _probed(folder, data)
        + "\n\nWhat its vectors are worth in tasks, and its words in similarity sets, is in `docs/results.md` of "
        "the project, each with its command.",
        "## Limits and biases\n\nTwo passes over eleven million words are a hundredth of what the published models "
        "saw. The novels bring the words and the prejudices of the British Empire of their time: who acts and who is "
        "described, what peoples and women are called. Not checked for bias beyond knowing that. English only.",
    ]
    _write_card(folder, blocks)
    write_about(folder, summary=f"English biLM, {_count(model)} parameters with its language-model head",
                terms=_MINI_TERMS, parameters=_parameters(model))  # fmt: skip
    _report(folder)


def ship_news(data: Path) -> None:
    """elmo-mini on news text, its topic classifier, stored weights, card."""
    if not (Path("runs/ag_news/data") / "lm_train.txt").is_file():
        _python("recipes/prepare_ag_news.py", data / "ag_news", "runs/ag_news/data")
    _link_rows(data / "ag_news")
    bilms, head, tuned = [NEWS / "bilm", NEWS / "bilm_more"], NEWS / "head", NEWS / "classifier"
    _pretrain("configs/elmo_mini_news_pretrain.yaml", bilms[0])
    _pretrain("configs/elmo_mini_news_more_pretrain.yaml", bilms[1])
    _classify("configs/elmo_mini_news_head_classify.yaml", head)
    _classify("configs/elmo_mini_news_classify.yaml", tuned)
    folder = SHIPPED / "elmo-mini-news"
    model = _store(ElmoForSequenceClassification, tuned, folder)
    shutil.copy(tuned / "training.yaml", folder)
    scores = Classifier.from_pretrained(folder).score([str(ROWS / "test.csv.gz")], label_names=ROWS / "classes.txt")
    metrics = json.loads((tuned / "metrics.json").read_text(encoding="utf-8"))
    macro = scores["macro"]
    per_class = "\n".join(
        f"| {label} | {each['rows']:,} | {each['precision']:.4f} | {each['recall']:.4f} | {each['f1']:.4f} |"
        for label, each in scores["per_class"].items()
    )
    mix = "λ " + ", ".join(f"{value:.2f}" for value in metrics["lambdas"]) if "lambdas" in metrics else "learned"
    blocks = [
        _front("text-classification", ["elmo", "elmokit", "text-classification"], license="other"),
        "# elmo-mini-news",
        "Topic of a piece of news: World, Sports, Business or Sci/Tech. `elmo-mini`, trained on with the text of AG "
        f"News, under a BiLSTM classifier, all fine-tuned together. {_count(model)} parameters. Layers mixed: "
        f"`{metrics['combine']}` ({mix}).",
        "**Terms.** " + _NEWS_TERMS,
        _use(
            "from elmokit.tasks.classification import Classifier\n\n"
            'classifier = Classifier.from_pretrained("elmo-mini-news")\n'
            'classifier.predict(["Stocks rose on Friday."])  # labels with probabilities, best first'
        )
        + '\n\nor `elmo predict "Stocks rose on Friday."`',
        "## Scores\n\nOf the stored float16 weights on the whole AG News test file "
        f"({scores['rows']:,} rows, never used for choosing anything): **accuracy {scores['accuracy']:.4f}**, macro "
        f"precision {macro['precision']:.4f}, recall {macro['recall']:.4f}, F1 {macro['f1']:.4f}. One seed "
        f"({metrics['seed']}).\n\n"
        "| class | rows | precision | recall | F1 |\n|---|---|---|---|---|\n" + per_class,
        "## Data\n\n"
        f"AG News, {metrics['rows']['train'] + metrics['rows']['validation']:,} labelled rows of the 120,000 of its "
        f"training file (a subset), {metrics['rows']['validation']:,} of them kept for validation; for the language "
        "model also the text of 18,727 rows with a description alone.",
        "## Training\n\n" + _training(bilms, "python recipes/ship_models.py elmo-mini-news $ELMOKIT_DATA"),
        f"The head was trained for {_epochs(head)} epochs on the frozen language model (its layers are computed once), "
        f"then all of it together for {_epochs(tuned)} ({_minutes(head)} and {_minutes(tuned)} minutes of a core). "
        "Settings: `configs/elmo_mini_news_*.yaml`.",
        "## Limits and biases\n\nEnglish news of 2004, mostly from agencies; a text of any kind gets one of four "
        "labels. Business and Sci/Tech are confused most. Names of countries and teams carry much of the decision. "
        "Not checked for bias beyond that, and inherits what the card of elmo-mini says.",
    ]
    _write_card(folder, blocks)
    write_about(folder, summary="topic of a piece of news: World, Sports, Business, Sci/Tech",
                terms=_NEWS_TERMS, parameters=_parameters(model))  # fmt: skip
    _report(folder)


def _python(*words: str | Path) -> None:
    subprocess.run([sys.executable, *map(str, words)], check=True)


def _probed(folder: Path, data: Path) -> str:
    """The table of `elmo probe`: tags of CoNLL-2000, pseudo-words of the Brown corpus."""
    text = Path("runs/brown.txt")
    with gzip.open(data / "brown" / "brown.txt.gz", "rt", encoding="utf-8") as lines:
        write_text(text, "".join(line.partition("\t")[2] for line in lines))  # a line: category, tab, sentence
    tagged = [data / "conll2000" / f"{name}.txt.gz" for name in ("train", "test")]
    options = ["--train", tagged[0], "--test", tagged[1], "--tag-column", 2, "--text", text]
    command = [sys.executable, "-m", "elmokit", "probe", folder, *options]
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def _pretrain(config: str, run: Path) -> None:
    if not (run / "metrics.json").is_file():
        resume = ["--resume"] if (run / "checkpoints").is_dir() else []
        _python("-m", "elmokit", "pretrain", "--config", config, *resume)


def _classify(config: str, run: Path) -> None:
    if not (run / "metrics.json").is_file():
        resume = ["--resume"] if run.with_name(f".{run.name}.partial").is_dir() else []
        _python("-m", "elmokit", "train", "classify", "--config", config, *resume)


def _link_rows(source: Path) -> None:
    ROWS.parent.mkdir(parents=True, exist_ok=True)
    if not ROWS.exists():
        ROWS.symlink_to(source.absolute(), target_is_directory=True)


def _store(kind: type[ElmoPreTrainedModel], run: Path, folder: Path) -> ElmoPreTrainedModel:
    """The run's model and tokenizer in `folder`, weights in float16; programs still compute in float32."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with quiet_transformers():
        load(kind, run, dtype="float16").save_pretrained(folder)
    config = folder / "config.json"
    content = json.loads(config.read_text(encoding="utf-8")) | {"dtype": "float32"}
    config.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for name in ("vocab.txt", COUNTS_FILE, COMPONENT_FILE, "tokenizer.json", "tokenizer_config.json"):
        if (run / name).is_file():
            shutil.copy(run / name, folder)
    for path in folder.iterdir():
        path.chmod(0o644)  # safetensors writes for the owner alone
    return load(kind, folder)


def _shape(config: ElmoConfig) -> str:
    filters = ", ".join(f"{count} of width {width}" for width, count in config.filters or ())
    return (
        f"a CNN over the bytes of each word ({filters}; highway layers: {config.n_highway}), {config.n_layers} layers "
        f"of LSTMs in each direction with {config.cell_dim} cells and projections of {config.projection_dim}, vectors "
        f"of {2 * config.projection_dim} numbers in {config.n_layers + 1} layers."
    )


def _parameters(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _count(model: Any) -> str:
    return f"{_parameters(model) / 1e6:.1f} M"


def _front(task: str, tags: list[str], *, license: str) -> str:
    front = {"language": "en", "library_name": "elmokit", "pipeline_tag": task, "tags": tags, "license": license}
    return f"---\n{yaml.safe_dump(front, sort_keys=False)}---"


def _use(code: str) -> str:
    return f"```python\n{code}\n```"


def _source_table(sources: dict[str, dict[str, int]]) -> str:
    lines = ["| text | terms | sentences | words |", "|---|---|---|---|"]
    for name, (what, terms) in _SOURCES.items():
        counts = sources[name]
        lines.append(f"| {what} | {terms} | {counts['train sentences']:,} | {counts['train words']:,} |")
    counts = sources["all"]
    lines.append(f"| together | | {counts['train sentences']:,} | {counts['train words']:,} |")
    return "\n".join(lines)


def _training(runs: list[Path], command: str) -> str:
    """Runs of which each went on from the one before."""
    found = [json.loads((run / "metrics.json").read_text(encoding="utf-8")) for run in runs]
    epochs = [epoch for metrics in found for epoch in metrics["epochs"]]
    first, steps = found[0], sum(metrics["steps"] for metrics in found)
    hours = sum(metrics["seconds"] for metrics in found) / 3600
    lines = ["| epoch | training perplexity | validation: forward | backward | mean |", "|---|---|---|---|---|"]
    lines += [
        f"| {number} | {epoch['train_perplexity']:.1f} | {epoch['valid_forward']:.1f} | "
        f"{epoch['valid_backward']:.1f} | {epoch['valid_perplexity']:.1f} |"
        for number, epoch in enumerate(epochs, start=1)
    ]
    return (
        f"```\n{command}\n```\n\n{first['train_words']:,} words, vocabulary {first['vocabulary']:,}, "
        f"{len(epochs)} epochs ({steps:,} steps{'' if len(found) == 1 else f' in {len(found)} runs'}), seed "
        f"{first['seed']}, {first['precision']}, {hours:.1f} h on {_cores(first['threads'])} that also did "
        "other work.\n\n" + "\n".join(lines)
    )


def _cores(count: int) -> str:
    return "one processor core" if count == 1 else f"{count} processor cores"


def _epochs(run: Path) -> int:
    return int(json.loads((run / "metrics.json").read_text(encoding="utf-8"))["epochs"])


def _minutes(run: Path) -> str:
    seconds = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["seconds"]
    return f"{seconds['total'] / 60:.0f}"


def _perplexities(found: dict[str, TextEvaluation]) -> str:
    lines = ["| text | words | unknown | forward | backward | mean |", "|---|---|---|---|---|---|"]
    for name, each in found.items():
        figures = " | ".join(
            f"{value or 0:.1f}" for value in (each.perplexity.forward, each.perplexity.backward, each.perplexity.mean)
        )
        lines.append(f"| {name} | {each.words:,} | {each.unknown:,} ({each.unknown / each.words:.1%}) | {figures} |")
    return "\n".join(lines)


def _write_card(folder: Path, blocks: list[str]) -> None:
    (folder / "README.md").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


def _report(folder: Path) -> None:
    size = sum(path.stat().st_size for path in folder.iterdir())
    print(f"{folder}: {size / 1e6:.1f} MB\n\n{(folder / 'README.md').read_text(encoding='utf-8')}")


if __name__ == "__main__":
    main()
