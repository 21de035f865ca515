"""Make the models that come with the package, from the data to `src/elmokit/pretrained/NAME`.

    python recipes/ship_models.py elmo-mini $ELMOKIT_DATA
    python recipes/ship_models.py elmo-small $ELMOKIT_DATA
    python recipes/ship_models.py elmo-mini-news $ELMOKIT_DATA

Steps whose result is in `runs/` are passed over and interrupted ones are resumed, so the command may be stopped and
given again. A language model is trained in stages: with `--now` the run is decayed as it stands and shipped, and
`--config` names the configuration of a later stage that starts from the shipped weights. The weights are stored in
float16; every figure of the card but those of training is measured on the stored ones.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from shipping import bilm, news

RECIPES = {
    "elmo-mini": bilm.Recipe(
        "elmo-mini", Path("configs/elmo_mini_pretrain.yaml"), table=80, decay_updates=400, head_words=2_000_000
    ),
    "elmo-small": bilm.Recipe(
        "elmo-small",
        Path("configs/elmo_small_pretrain.yaml"),
        table=0,
        decay_updates=820,
        head_words=0,
        start="elmo-mini",
        grow=(
            "cell_dim=1024",
            "filters=[[1, 32], [2, 64], [3, 128], [4, 256], [5, 384], [6, 320]]",
            "share=0.35",
            "updates=1200",
            "head=kept",
        ),
        static="--method svd --dim 128 --window 6 --set max_vocab=50000",
    ),
}

LATER_STAGES = {
    Path("configs/elmo_mini_words_pretrain.yaml"): bilm.Recipe(
        "elmo-mini",
        Path("configs/elmo_mini_words_pretrain.yaml"),
        table=0,
        decay_updates=230,
        head_words=0,
        start="elmo-mini",
        grow=("words=table", "table=28000", "word_dim=40", "share=0.2", "head=kept", "batch_words=2048"),
        static="--method skipgram --dim 128 --window 6 --epochs 4 --set subsample=0.0001 --set max_vocab=50000",
    ),
    Path("configs/elmo_mini_more_pretrain.yaml"): bilm.Recipe(
        "elmo-mini", Path("configs/elmo_mini_more_pretrain.yaml"), table=0, decay_updates=1_200, head_words=0
    ),
    Path("configs/elmo_mini_further_pretrain.yaml"): bilm.Recipe(
        "elmo-mini", Path("configs/elmo_mini_further_pretrain.yaml"), table=0, decay_updates=2_050, head_words=0
    ),
}
"""Their heads are the small one already; the first begins with more than the shipped weights."""


def main() -> None:
    """Make the model that was asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=[*RECIPES, "elmo-mini-news"])
    parser.add_argument("data", type=Path)
    parser.add_argument("--now", action="store_true", help="decay the run as it stands and ship that")
    parser.add_argument("--config", type=Path, help="configuration of a later stage, from the shipped weights")
    given = parser.parse_args()
    if given.name not in RECIPES:
        news.ship(given.data)
        return
    recipe = RECIPES[given.name]
    if given.config is not None:
        recipe = LATER_STAGES.get(given.config, replace(recipe, config=given.config, table=0, start=None))
    bilm.ship(recipe, given.data, now=given.now)


if __name__ == "__main__":
    main()
