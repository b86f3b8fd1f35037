"""A recipe's keys about evaluation: how a checkpoint is scored."""

from __future__ import annotations

from dataclasses import dataclass, field

from emotrain.balance.heads import HEADS
from emotrain.context.option_order import MOST_ORDERS
from emotrain.context.views import TEST_VIEWS
from emotrain.recipe.arguments.keys import check_word, recipe_key

SPLITS = ("train", "validation", "test")
POSTHOC = ("none", "training_prior", "own_prior", "em")
BASELINE_TRAINS = ("all", "head")


@dataclass
class EvaluationArguments:
    """How a checkpoint is scored."""

    split: str = recipe_key("Part that `emotrain evaluate` scores: test, or validation while choosing.", default="test")
    resamples: int = recipe_key("Bootstrap resamples of every interval.", default=10_000)
    option_orders: int = recipe_key("Orders of the options that the scores are averaged over.", default=1)
    test_views: str = recipe_key(
        "Views of each clip that the scores are averaged over: stored, the keyframes as they are; mirror, phase or "
        "mirror+phase (phases need between: -1).",
        default="stored",
    )
    calibrate: bool = recipe_key(
        "Score the validation part too: sets of labels with a promised coverage, in the report and beside the adapter.",
        default=False,
    )
    prevalence: dict[str, float] = field(
        default_factory=dict,
        metadata={"help": "How often each label occurs where the model is used, as {label: share}: accuracy there."},
    )
    head: str = recipe_key(
        "Classifier trained on the model's embeddings that answers in place of label scores: none, or linear, crt, "
        "tau_norm, lws, los, smote (see balance/heads.py).",
        default="none",
    )
    posthoc: str = recipe_key(
        "Prior taken off the label scores: none; training_prior, what they carry of training; own_prior, the answers "
        "to blank clips; em, one found in the scored clips by EM, after calibration on the validation part.",
        default="none",
    )
    posthoc_tau: float | None = recipe_key(
        "How much of that prior is taken off; 1: all of it; null: chosen on the validation part.", default=1.0
    )
    head_l2: float | None = recipe_key("Ridge of the head; null: chosen on the validation part.", default=None)
    head_tau: float | None = recipe_key(
        "Exponent of head: tau_norm; null: chosen on the validation part.", default=None
    )
    early_stopping_patience: int | None = recipe_key(
        "Evaluations in a row without a better metric_for_best_model that end training; null for none.", default=None
    )
    baseline_model: str = recipe_key("Checkpoint of `emotrain baseline videomae`.", default="MCG-NJU/videomae-base")
    baseline_trains: str = recipe_key("What of baseline_model learns: all or head.", default="all")
    arm: str = recipe_key("Name of this run in tables and figures.", default="run")

    def __post_init__(self) -> None:
        check_word("split", self.split, SPLITS)
        check_word("test_views", self.test_views, tuple(TEST_VIEWS))
        if self.head != "none" and self.test_views != "stored":
            raise ValueError(f"head: {self.head} answers in place of label scores; remove test_views")
        check_word("baseline_trains", self.baseline_trains, BASELINE_TRAINS)
        check_word("head", self.head, ("none", *HEADS))
        check_word("posthoc", self.posthoc, POSTHOC)
        if self.head != "none" and (self.posthoc != "none" or self.option_orders != 1):
            raise ValueError(f"head: {self.head} answers in place of label scores; remove posthoc and option_orders")
        odd = [label for label, share in self.prevalence.items() if not 0 <= share < float("inf")]
        if odd or (self.prevalence and not any(self.prevalence.values())):
            raise ValueError(f"prevalence: {', '.join(odd) or 'all shares'}: expected numbers from 0, one above it")
        if self.calibrate and (self.split == "validation" or self.head != "none" or self.posthoc != "none"):
            raise ValueError(
                "calibrate: true is of the label scores on the validation part, and says what they are worth on "
                "another one; remove split: validation, head and posthoc"
            )
        for key, value, used in (
            ("head_l2", self.head_l2, self.head != "none"),
            ("head_tau", self.head_tau, self.head == "tau_norm"),
        ):
            if value is not None and not used:
                raise ValueError(f"{key}: {value} would be ignored with head: {self.head}; remove it")
            if value is not None and value < 0:
                raise ValueError(f"{key}: {value} is below 0; null chooses one on the validation part")
        if self.posthoc_tau != 1.0 and self.posthoc not in ("training_prior", "own_prior"):
            raise ValueError(
                f"posthoc_tau: {self.posthoc_tau} would be ignored with posthoc: {self.posthoc}; remove it"
            )
        if self.early_stopping_patience is not None and self.early_stopping_patience < 1:
            raise ValueError(f"early_stopping_patience: {self.early_stopping_patience} is below 1; null turns it off")
        if not 1 <= self.option_orders <= MOST_ORDERS:
            raise ValueError(f"option_orders: {self.option_orders}, expected 1 to {MOST_ORDERS}")
