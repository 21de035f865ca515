"""`elmo-mini-news`: elmo-mini further pretrained on news, and its topic classifier."""

from __future__ import annotations

import json
from pathlib import Path

from elmokit.models.modeling_pretraining import ElmoForPreTraining
from elmokit.models.modeling_sequence_classification import ElmoForSequenceClassification
from elmokit.pretrain.perplexity import evaluate_text
from elmokit.pretrained import write_about
from elmokit.run_folder import settings_of, write_yaml
from elmokit.saved_model import BILM_FOLDER
from elmokit.tasks.classification import Classifier
from shipping import card
from shipping.bilm import SHIPPED
from shipping.steps import classify, pretrain, python
from shipping.storage import millions, parameters, store

NEWS = Path("runs/elmo_mini_news")
ROWS = Path("runs/ag_news/rows")
TERMS = "Research and other non-commercial use only: so the AG corpus, its training text, may be used."


def ship(data: Path) -> None:
    """elmo-mini on news text, its topic classifier, stored weights, card."""
    if not (Path("runs/ag_news/data") / "lm_train.txt").is_file():
        python("recipes/prepare_ag_news.py", data / "ag_news", "runs/ag_news/data")
    _link_rows(data / "ag_news")
    bilm, head, tuned = NEWS / "bilm", NEWS / "head", NEWS / "classifier"
    pretrain(bilm, "--config", "configs/elmo_mini_news_pretrain.yaml")
    classify("configs/elmo_mini_news_head_classify.yaml", head)
    classify("configs/elmo_mini_news_classify.yaml", tuned)
    folder = SHIPPED / "elmo-mini-news"
    model = store(ElmoForSequenceClassification, tuned, folder)
    kept = store(ElmoForPreTraining, bilm, folder / BILM_FOLDER)
    perplexity = evaluate_text(folder, "runs/ag_news/data/lm_valid.txt").perplexity
    metrics = json.loads((tuned / "metrics.json").read_text(encoding="utf-8"))
    write_yaml(folder / "training.yaml", {**settings_of(tuned), "label_keys": metrics["label_keys"]})
    scores = Classifier.from_pretrained(folder).score([str(ROWS / "test.csv.gz")])
    macro = scores["macro"]
    per_class = "\n".join(
        f"| {label} | {each['rows']:,} | {each['precision']:.4f} | {each['recall']:.4f} | {each['f1']:.4f} |"
        for label, each in scores["per_class"].items()
    )
    mix = "λ " + ", ".join(f"{value:.2f}" for value in metrics["lambdas"]) if "lambdas" in metrics else "learned"
    blocks = [
        card.front("text-classification", ["elmo", "elmokit", "text-classification"], license="other"),
        "# elmo-mini-news",
        "Topic of a piece of news: World, Sports, Business or Sci/Tech. `elmo-mini`, trained on with the text of AG "
        f"News, under a BiLSTM classifier, all fine-tuned together. {millions(model)} parameters. Layers mixed: "
        f"`{metrics['combine']}` ({mix}). The folder `bilm` has the language model of the news before that "
        f"({millions(kept)} parameters with its head): vectors, `score` and `substitutes` are its own.",
        "**Terms.** " + TERMS,
        card.example(
            "from elmokit.tasks.classification import Classifier\n\n"
            'classifier = Classifier.from_pretrained("elmo-mini-news")\n'
            'classifier.predict(["Stocks rose on Friday."])  # labels with probabilities, best first'
        )
        + '\n\nor `elmo predict "Stocks rose on Friday."`; `elmo score elmo-mini-news`, '
        '`Encoder.from_pretrained("elmo-mini-news")` for the language model.',
        "## Scores\n\nOf the stored float16 weights on the whole AG News test file "
        f"({scores['rows']:,} rows, never used for choosing anything): **accuracy {scores['accuracy']:.4f}**, macro "
        f"precision {macro['precision']:.4f}, recall {macro['recall']:.4f}, F1 {macro['f1']:.4f}. One seed "
        f"({metrics['seed']}).\n\n"
        "| class | rows | precision | recall | F1 |\n|---|---|---|---|---|\n" + per_class,
        "## Data\n\n"
        f"AG News, {metrics['rows']['train'] + metrics['rows']['validation']:,} labelled rows of the 120,000 of its "
        f"training file (a subset), {metrics['rows']['validation']:,} of them kept for validation; for the language "
        "model also the text of 18,727 rows with a description alone.",
        "## Training\n\n" + _epochs_table(bilm, "python recipes/ship_models.py elmo-mini-news $ELMOKIT_DATA"),
        f"As stored, in float16: forward {perplexity.forward:.1f}, backward {perplexity.backward:.1f}, mean "
        f"{perplexity.mean:.1f} on the same 1,000 held-out rows.",
        f"The head was trained for {_epochs(head)} epochs on the frozen language model (its layers are computed once), "
        f"then all of it together for {_epochs(tuned)} ({_minutes(head)} and {_minutes(tuned)} minutes of a core). "
        "Settings: `configs/elmo_mini_news_*.yaml`.",
        "## Limits and biases\n\nEnglish news of 2004, mostly from agencies; a text of any kind gets one of four "
        "labels. Business and Sci/Tech are confused most. Names of countries and teams carry much of the decision. "
        "Not checked for bias beyond that, and inherits what the card of elmo-mini says.",
    ]
    card.write(folder, blocks)
    write_about(folder, summary="topic of a piece of news: World, Sports, Business, Sci/Tech",
                terms=TERMS, parameters=parameters(model))  # fmt: skip
    card.report(folder)


def _link_rows(source: Path) -> None:
    ROWS.parent.mkdir(parents=True, exist_ok=True)
    if not ROWS.exists():
        ROWS.symlink_to(source.absolute(), target_is_directory=True)


def _epochs_table(run: Path, command: str) -> str:
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    lines = ["| epoch | training perplexity | validation: forward | backward | mean |", "|---|---|---|---|---|"]
    lines += [
        f"| {number} | {epoch['train_perplexity']:.1f} | {epoch['valid_forward']:.1f} | "
        f"{epoch['valid_backward']:.1f} | {epoch['valid_perplexity']:.1f} |"
        for number, epoch in enumerate(metrics["epochs"], start=1)
    ]
    return (
        f"```\n{command}\n```\n\n{metrics['train_words']:,} words, vocabulary {metrics['vocabulary']:,}, "
        f"{len(metrics['epochs'])} epochs ({metrics['steps']:,} steps), seed {metrics['seed']}, "
        f"{metrics['precision']}, {metrics['seconds'] / 3600:.1f} h on {_cores(metrics['threads'])} that also did "
        "other work.\n\n" + "\n".join(lines)
    )


def _cores(count: int) -> str:
    return "one processor core" if count == 1 else f"{count} processor cores"


def _epochs(run: Path) -> int:
    return int(json.loads((run / "metrics.json").read_text(encoding="utf-8"))["epochs"])


def _minutes(run: Path) -> str:
    seconds = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["seconds"]
    return f"{seconds['total'] / 60:.0f}"
