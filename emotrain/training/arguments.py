"""What a recipe may say, beyond TRL's `SFTConfig` and `ModelConfig`: data, context, balance, evaluation.

Vocabularies are checked when the recipe is loaded, so a bad recipe stops before any model does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emotrain.balance.losses import LossSettings
from emotrain.balance.strategies import check_settings
from emotrain.emotions import label_set, nearest

CONTEXTS = ("none", "summaries")
OBJECTIVES = ("labels", "tokens")
SPLITS = ("train", "validation", "test")


def _help(text: str, **more: Any) -> Any:
    return field(metadata={"help": text}, **more)


def _check(key: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise ValueError(f"{key}: {value!r} is not one of {', '.join(known)}; {nearest(value, known)}")


@dataclass
class DataArguments:
    """Which clips, which labels, which frames of each clip."""

    data: str = _help("Folder that the preparation stages write to and training reads from.", default="data")
    dataset: str = _help("Layout of the data set (see data_prep/index_clips.py --help).", default="synthetic")
    root: str | None = _help("Folder of the data set itself; needed by `emotrain prep` only.", default=None)
    label_set: str = _help("Label set that is trained and scored: mafw, dfew, ...", default="mafw")
    fold: int | None = _help("Test fold (from 1) of a data set with folds; null for fixed splits.", default=None)
    keyframe_policy: str = _help("How keyframes are chosen.", default="segment_centres")
    keyframes: int = _help("Keyframes a clip.", default=8)
    between: int = _help("In-between frames stored in each gap; 0 where the summariser reads the video.", default=0)
    frame_size: int = _help("Side in pixels that frames are stored with.", default=224)
    decoder: str = _help("auto, pyav, torchcodec, opencv or decord.", default="auto")
    prep_shards: int = _help("Shards a preparation stage is cut into.", default=8)
    image_size: int | None = _help("Side in pixels that the model sees; null leaves it to the processor.", default=None)

    def __post_init__(self) -> None:
        label_set(self.label_set)
        if self.keyframes < 1:
            raise ValueError(f"keyframes: {self.keyframes} is below 1")
        if self.fold is not None and self.fold < 1:
            raise ValueError(f"fold: {self.fold} is below 1; folds count from 1, null is for fixed splits")


@dataclass
class ContextArguments:
    """What the model is told about the time between the keyframes."""

    context: str = _help("none: keyframes only; summaries: what happened in each gap.", default="summaries")
    summarizer: str = _help("Summariser back end, or the name of a folder under summaries/.", default="motion")

    def __post_init__(self) -> None:
        _check("context", self.context, CONTEXTS)


@dataclass
class BalanceArguments:
    """How often each class is drawn (the manifest) and how the loss weighs it (see emotrain/balance)."""

    sampling: str = _help("Strategy that the manifest is drawn with.", default="class_balanced")
    sampling_power: float | None = _help("q of sampling: power, with p_c ~ n_c^q.", default=None)
    sampling_beta: float | None = _help("beta of sampling: effective_number.", default=None)
    sampling_threshold: float | None = _help("t of sampling: repeat_factor; null for 1 / C.", default=None)
    epochs: int = _help("Epochs in the manifest.", default=3)
    epoch_size: int | None = _help("Draws an epoch; null for as many as there are clips.", default=None)
    sampling_seed: int = _help("Seed of the manifest.", default=0)
    replacement: bool = _help("Independent draws instead of dealing each class out.", default=False)
    group_by: str | None = _help("subject or source, whose draws group_cap bounds.", default=None)
    group_cap: float | None = _help("Largest share of one group in the draws of its class.", default=None)
    compound: str = _help("What a clip with several labels counts as (see balance/strata.py).", default="label")
    objective: str = _help("labels: loss on the label distribution; tokens: answer tokens.", default="labels")
    loss: str = _help("Loss on the label distribution.", default="cross_entropy")
    class_weights: str = _help("none, inverse_frequency or effective_number.", default="none")
    tau: float = _help("Strength of loss: logit_adjusted.", default=1.0)
    gamma: float = _help("Focusing exponent of loss: focal.", default=2.0)
    beta: float = _help("beta of class_weights: effective_number.", default=0.9999)
    margin: float = _help("Largest margin of loss: ldam.", default=0.5)
    scale: float = _help("Scale of loss: ldam.", default=1.0)
    smoothing: float | None = _help("Label smoothing; null for the loss's own.", default=None)
    mass_weight: float = _help("Weight of the mass term that holds the label set's probability near one.", default=1.0)
    drw_start: float = _help("Share of training after which class_weights switch on.", default=0.0)

    def __post_init__(self) -> None:
        check_settings(
            self.sampling,
            power=self.sampling_power,
            beta=self.sampling_beta,
            threshold=self.sampling_threshold,
            epochs=self.epochs,
        )
        _check("objective", self.objective, OBJECTIVES)
        settings = self.loss_settings()
        defaults = LossSettings()
        for key, value, default, used in (
            ("tau", self.tau, defaults.tau, self.loss == "logit_adjusted"),
            ("gamma", self.gamma, defaults.gamma, self.loss == "focal"),
            ("margin", self.margin, defaults.margin, self.loss == "ldam"),
            ("scale", self.scale, defaults.scale, self.loss == "ldam"),
            ("beta", self.beta, defaults.beta, self.class_weights == "effective_number"),
            ("drw_start", self.drw_start, defaults.drw_start, self.class_weights != "none"),
        ):
            if value != default and not used:
                raise ValueError(
                    f"{key}: {value} would be ignored with loss: {self.loss} and class_weights: {self.class_weights}; "
                    "remove it"
                )
        if self.objective == "tokens" and settings != LossSettings():
            raise ValueError(
                "objective: tokens has no label distribution, so loss, class_weights, smoothing and mass_weight would "
                "be ignored; remove them or use objective: labels"
            )

    def loss_settings(self) -> LossSettings:
        """The part that describes the loss; raises ValueError for a wrong name or range."""
        return LossSettings(
            name=self.loss,  # type: ignore[arg-type]
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


@dataclass
class EvaluationArguments:
    """How a checkpoint is scored."""

    split: str = _help("Part that `emotrain evaluate` scores: test, or validation while choosing.", default="test")
    resamples: int = _help("Bootstrap resamples of every interval.", default=10_000)
    arm: str = _help("Name of this run in tables and figures.", default="run")

    def __post_init__(self) -> None:
        _check("split", self.split, SPLITS)
