"""What a recipe may say, beyond TRL's `SFTConfig` and `ModelConfig`: data, context, balance, evaluation.

Vocabularies are checked when the recipe is loaded, so a bad recipe stops before any model does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emotrain.balance.draw_settings import DrawSettings
from emotrain.balance.heads import HEADS
from emotrain.balance.losses import LossSettings
from emotrain.context.controls import Controls
from emotrain.context.prompt import PromptSettings
from emotrain.emotions import label_set, nearest
from emotrain.video.frame_settings import FrameSettings

CONTEXTS = ("none", "summaries")
LEAKAGE = ("mask", "drop", "fail")
OPTION_ORDERS = ("fixed", "shuffled")
OBJECTIVES = ("labels", "tokens")
TARGETS = ("hard", "votes")
SPLITS = ("train", "validation", "test")
POSTHOC = ("none", "training_prior", "own_prior", "em")
VISION_EMBEDDINGS = ("computed", "stored")
BASELINE_TRAINS = ("all", "head")


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
    media: str | None = _help("Form of the clips to index, such as clip_224x224 (DFEW), or their folder.", default=None)
    labels: str | None = _help("Task of dataset: mafw: single or compound.", default=None)
    caption: str | None = _help("Captions of dataset: mafw to keep in the index: en or zh.", default=None)
    annotation: str | None = _help("Annotation file of dataset: csv; null for clips.csv in the root.", default=None)
    assume_fps: float | None = _help("Frame rate of frame folders whose annotation names none.", default=None)
    probe: bool = _help("Decode each video while indexing, for its rate and length.", default=False)
    validation_share: float = _help("Part of train that the index keeps for validation.", default=0.1)
    index_seed: int = _help("Seed of the validation part and of assigned folds.", default=0)
    label_set: str = _help("Label set that is trained and scored: mafw, dfew, ...", default="mafw")
    fold: int | None = _help("Test fold (from 1) of a data set with folds; null for fixed splits.", default=None)
    keyframe_policy: str = _help("How keyframes are chosen.", default="segment_centres")
    keyframes: int = _help("Keyframes a clip.", default=8)
    between: int = _help(
        "In-between frames stored in each gap: 0 where the summariser reads the video, -1 for all of them.", default=0
    )
    frame_size: int = _help("Longer side in pixels that frames are stored with.", default=224)
    frame_quality: int = _help("JPEG quality of the stored frames.", default=95)
    frame_seed: int = _help("Seed of keyframe_policy: stratified.", default=0)
    redraw_keyframes: bool = _help(
        "Training chooses new keyframes at every epoch; needs keyframe_policy: stratified and between: -1.",
        default=False,
    )
    crop: str = _help("none, centre, or box-from-annotation (DATA/boxes.parquet).", default="none")
    decoder: str = _help("auto, pyav, torchcodec, opencv or decord.", default="auto")
    prep_shards: int = _help("Shards a preparation stage is cut into.", default=8)
    vision_embeddings: str = _help(
        "stored: training reads what the frozen vision side makes of the keyframes from disk, where `emotrain prep` "
        "puts it; computed: it computes that at every step.",
        default="computed",
    )
    image_size: int | None = _help("Side in pixels that the model sees; null leaves it to the processor.", default=None)

    def __post_init__(self) -> None:
        label_set(self.label_set)
        if self.keyframes < 1:
            raise ValueError(f"keyframes: {self.keyframes} is below 1")
        if self.prep_shards < 1:
            raise ValueError(f"prep_shards: {self.prep_shards} is below 1")
        if self.assume_fps is not None and not 0 < self.assume_fps < float("inf"):
            raise ValueError(f"assume_fps: {self.assume_fps} is no frame rate; expected frames a second above 0")
        self.frame_settings()
        if self.frame_seed != 0 and self.keyframe_policy != "stratified":
            raise ValueError(f"frame_seed: ignored with keyframe_policy: {self.keyframe_policy}; remove it")
        if self.redraw_keyframes and (self.keyframe_policy != "stratified" or self.between != -1):
            raise ValueError(
                f"redraw_keyframes: needs all frames, found keyframe_policy: {self.keyframe_policy} and between: "
                f"{self.between}; say keyframe_policy: stratified and between: -1"
            )
        _check("vision_embeddings", self.vision_embeddings, VISION_EMBEDDINGS)
        if self.vision_embeddings == "stored" and self.redraw_keyframes:
            raise ValueError("vision_embeddings: stored, but redraw_keyframes shows others at every epoch; remove one")
        if self.fold is not None and self.fold < 1:
            raise ValueError(f"fold: {self.fold} is below 1; folds count from 1, null is for fixed splits")

    def frame_settings(self) -> FrameSettings:
        """What decides which frames are stored and how they look; raises ValueError for a wrong name or range."""
        return FrameSettings(
            policy=self.keyframe_policy,
            keyframes=self.keyframes,
            between=None if self.between == -1 else self.between,
            size=self.frame_size,
            quality=self.frame_quality,
            decoder=self.decoder,
            crop=self.crop,  # type: ignore[arg-type]
            seed=self.frame_seed,
        )


@dataclass
class ContextArguments:
    """What the model is told about the time between the keyframes."""

    context: str = _help("none: keyframes only; summaries: what happened in each gap.", default="summaries")
    summarizer: str = _help("Summariser back end, or the name of a folder under summaries/.", default="motion")
    cues: str | None = _help(
        "CSV file or folder of OpenFace, LibreFace or py-feat that summarizer: motion reads instead of the video.",
        default=None,
    )
    summarizer_options: dict[str, Any] = field(
        default_factory=dict,
        metadata={"help": "Options of summarizer: vlm, openai, precomputed (data_prep/summarize_frames.py --help)."},
    )
    leakage: str = _help("Emotion words in the summaries of such a summarizer: drop, mask or fail.", default="mask")
    show_images: bool = _help("false: the model reads the summaries and sees no keyframe.", default=True)
    trajectory: bool = _help("Tell the course of the whole clip in one line after the last gap.", default=False)
    language: str = _help("Language of the prompt and of the labels in it: en or zh.", default="en")
    option_order: str = _help("fixed, or shuffled: another order of the options at every draw.", default="fixed")
    max_summary_tokens: int | None = _help("Token budget of a clip's summaries; null for none.", default=None)
    context_control: str = _help(
        "none, shuffled, reversed, static, same_class or other_class (see context/controls.py).", default="none"
    )
    corrupt_summaries: str = _help("none, drop, swap, region or time: faults put into summaries.", default="none")
    corrupt_share: float = _help("Share of the gaps that corrupt_summaries makes wrong.", default=0.0)
    context_seed: int = _help("Seed of shuffled options, controls and faults.", default=0)

    def __post_init__(self) -> None:
        _check("context", self.context, CONTEXTS)
        _check("leakage", self.leakage, LEAKAGE)
        _check("option_order", self.option_order, OPTION_ORDERS)
        if self.cues is not None and self.summarizer != "motion":
            raise ValueError(
                f"cues: only summarizer: motion reads them, found {self.summarizer!r}; remove one of the two"
            )
        if self.summarizer == "motion" and (self.summarizer_options or self.leakage != "mask"):
            raise ValueError("summarizer_options and leakage are of text back ends; summarizer: motion has neither")
        self.prompt_settings()
        self.controls()
        if self.trajectory and (self.max_summary_tokens is not None or self.context_control == "static"):
            raise ValueError(
                "trajectory: true adds a line that max_summary_tokens does not count and context_control: static does "
                "not replace, so arms would differ in tokens; leave the trajectory out of both arms"
            )
        if self.context == "none":
            ignored = {
                "show_images: false": not self.show_images,
                "trajectory: true": self.trajectory,
                f"cues: {self.cues}": self.cues is not None,
                "max_summary_tokens": self.max_summary_tokens is not None,
                f"context_control: {self.context_control}": self.context_control != "none",
                f"corrupt_summaries: {self.corrupt_summaries}": self.corrupt_summaries != "none",
            }
            for key, given in ignored.items():
                if given:
                    raise ValueError(f"{key} needs summaries and context is none; remove one of the two")

    def prompt_settings(self) -> PromptSettings:
        """The part that describes the prompt; raises ValueError for a language without templates."""
        return PromptSettings(
            context=self.context,  # type: ignore[arg-type]
            images=self.show_images,
            trajectory=self.trajectory,
            language=self.language,
        )

    def controls(self) -> Controls:
        """What is done to summaries before they are told; raises ValueError for a wrong name or range."""
        return Controls(
            control=self.context_control,
            corrupt=self.corrupt_summaries,
            corrupt_share=self.corrupt_share,
            max_tokens=self.max_summary_tokens,
            seed=self.context_seed,
        )


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
    targets: str = _help(
        "What a clip is trained towards: hard, its label; votes, the shares of its annotators' votes.", default="hard"
    )
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
        self.draw_settings()
        _check("objective", self.objective, OBJECTIVES)
        _check("targets", self.targets, TARGETS)
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
    option_orders: int = _help("Orders of the options that the scores are averaged over.", default=1)
    head: str = _help(
        "Classifier trained on the model's embeddings that answers in place of label scores: none, or linear, crt, "
        "tau_norm, lws, los, smote (see balance/heads.py).",
        default="none",
    )
    posthoc: str = _help(
        "Prior taken off the label scores: none; training_prior, the shares that training drew; own_prior, the answers "
        "to blank clips; em, replaced by one estimated from the clips that are scored, without their labels.",
        default="none",
    )
    posthoc_tau: float = _help("How much of that prior is taken off; 1: all of it.", default=1.0)
    early_stopping_patience: int | None = _help(
        "Evaluations in a row without a better metric_for_best_model that end training; null for none.", default=None
    )
    baseline_model: str = _help("Checkpoint of `emotrain baseline videomae`.", default="MCG-NJU/videomae-base")
    baseline_trains: str = _help("What of baseline_model learns: all or head.", default="all")
    arm: str = _help("Name of this run in tables and figures.", default="run")

    def __post_init__(self) -> None:
        _check("split", self.split, SPLITS)
        _check("baseline_trains", self.baseline_trains, BASELINE_TRAINS)
        _check("head", self.head, ("none", *HEADS))
        _check("posthoc", self.posthoc, POSTHOC)
        if self.head != "none" and (self.posthoc != "none" or self.option_orders != 1):
            raise ValueError(f"head: {self.head} answers in place of label scores; remove posthoc and option_orders")
        if self.posthoc_tau != 1.0 and self.posthoc not in ("training_prior", "own_prior"):
            raise ValueError(
                f"posthoc_tau: {self.posthoc_tau} would be ignored with posthoc: {self.posthoc}; remove it"
            )
        if self.early_stopping_patience is not None and self.early_stopping_patience < 1:
            raise ValueError(f"early_stopping_patience: {self.early_stopping_patience} is below 1; null turns it off")
        if self.option_orders < 1:
            raise ValueError(f"option_orders: {self.option_orders} is below 1")
