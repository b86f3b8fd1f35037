"""A recipe's keys about balance: how often each class is drawn and how the loss weighs it."""

from __future__ import annotations

from dataclasses import dataclass

from emotrain.balance.draw_settings import DrawSettings
from emotrain.balance.losses import LossSettings
from emotrain.recipe.arguments.keys import check_word, recipe_key

OBJECTIVES = ("labels", "tokens", "reward")
TARGETS = ("hard", "votes")


@dataclass
class BalanceArguments:
    """How often each class is drawn (the manifest) and how the loss weighs it (see emotrain/balance)."""

    sampling: str = recipe_key("Strategy that the manifest is drawn with.", default="class_balanced")
    sampling_power: float | None = recipe_key("q of sampling: power, with p_c ~ n_c^q.", default=None)
    sampling_beta: float | None = recipe_key("beta of sampling: effective_number.", default=None)
    sampling_threshold: float | None = recipe_key("t of sampling: repeat_factor; null for 1 / C.", default=None)
    epochs: int = recipe_key("Epochs in the manifest.", default=3)
    epoch_size: int | None = recipe_key("Draws an epoch; null for as many as there are clips.", default=None)
    sampling_seed: int = recipe_key("Seed of the manifest.", default=0)
    replacement: bool = recipe_key("Independent draws instead of dealing each class out.", default=False)
    group_by: str | None = recipe_key("subject or source, whose draws group_cap bounds.", default=None)
    group_cap: float | None = recipe_key("Largest share of one group in the draws of its class.", default=None)
    compound: str = recipe_key("What a clip with several labels counts as (see balance/strata.py).", default="label")
    objective: str = recipe_key(
        "labels: loss on the label distribution; tokens: answer tokens; reward: its expected reward.", default="labels"
    )
    reward: str = recipe_key("What objective: reward climbs: accuracy, uar or tail_f1.", default="uar")
    targets: str = recipe_key(
        "What a clip is trained towards: hard, its label; votes, the shares of its annotators' votes.", default="hard"
    )
    loss: str = recipe_key("Loss on the label distribution.", default="cross_entropy")
    class_weights: str = recipe_key("none, inverse_frequency or effective_number.", default="none")
    tau: float = recipe_key("Strength of loss: logit_adjusted.", default=1.0)
    gamma: float = recipe_key("Focusing exponent of loss: focal.", default=2.0)
    beta: float = recipe_key("beta of class_weights: effective_number.", default=0.9999)
    margin: float = recipe_key("Largest margin of loss: ldam.", default=0.5)
    scale: float = recipe_key("Scale of loss: ldam.", default=1.0)
    smoothing: float | None = recipe_key("Label smoothing; null for the loss's own.", default=None)
    mass_weight: float = recipe_key(
        "Weight of the mass term that holds the label set's probability near one.", default=1.0
    )
    drw_start: float = recipe_key("Share of training after which class_weights switch on.", default=0.0)

    def __post_init__(self) -> None:
        self.draw_settings()
        check_word("objective", self.objective, OBJECTIVES)
        check_word("targets", self.targets, TARGETS)
        if self.objective == "reward" and self.loss != "cross_entropy":
            raise ValueError(f"loss: {self.loss} would be ignored with objective: reward; remove it")
        if self.loss == "reward":
            raise ValueError("loss: reward: say objective: reward, and reward: accuracy, uar or tail_f1")
        settings = self.loss_settings()
        defaults = LossSettings()
        for key, value, default, used in (
            ("tau", self.tau, defaults.tau, self.loss == "logit_adjusted"),
            ("gamma", self.gamma, defaults.gamma, self.loss == "focal"),
            ("margin", self.margin, defaults.margin, self.loss == "ldam"),
            ("scale", self.scale, defaults.scale, self.loss == "ldam"),
            ("beta", self.beta, defaults.beta, self.class_weights == "effective_number"),
            ("reward", self.reward, defaults.reward, self.objective == "reward"),
            ("drw_start", self.drw_start, defaults.drw_start, self.class_weights != "none"),
        ):
            if value != default and not used:
                raise ValueError(
                    f"{key}: {value} would be ignored with objective: {self.objective}, loss: {self.loss} and "
                    f"class_weights: {self.class_weights}; remove it"
                )
        if self.objective == "tokens" and self.targets != "hard":
            raise ValueError(
                f"objective: tokens trains on the tokens of one answer, and targets: {self.targets} are several; say "
                "targets: hard, or objective: labels"
            )
        if self.objective == "tokens" and settings != LossSettings():
            raise ValueError(
                "objective: tokens has no label distribution, so loss, class_weights, smoothing and mass_weight would "
                "be ignored; remove them or use objective: labels"
            )

    def draw_settings(self) -> DrawSettings:
        """The part that describes the manifest; raises ValueError for a wrong name, range or idle setting."""
        return DrawSettings(
            strategy=self.sampling,
            epochs=self.epochs,
            seed=self.sampling_seed,
            epoch_size=self.epoch_size,
            power=self.sampling_power,
            beta=self.sampling_beta,
            threshold=self.sampling_threshold,
            replacement=self.replacement,
            group_by=self.group_by,
            group_cap=self.group_cap,
            compound=self.compound,
        )

    def loss_settings(self) -> LossSettings:
        """The part that describes the loss; raises ValueError for a wrong name or range."""
        return LossSettings(
            name="reward" if self.objective == "reward" else self.loss,  # type: ignore[arg-type]
            reward=self.reward,  # type: ignore[arg-type]
            class_weights=self.class_weights,  # type: ignore[arg-type]
            tau=self.tau,
            gamma=self.gamma,
            beta=self.beta,
            margin=self.margin,
            scale=self.scale,
            smoothing=self.smoothing,
            mass_weight=self.mass_weight,
            drw_start=self.drw_start,
        )
