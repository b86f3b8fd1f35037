"""A recipe's keys about context: what the model is told about the time between the keyframes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emotrain.context.carriers import CARRIERS, PICTURES
from emotrain.context.controls import Controls
from emotrain.context.prompt import PromptSettings
from emotrain.context.training_faults import TrainingFaults
from emotrain.recipe.arguments.keys import check_word, recipe_key

CONTEXTS = ("none", "summaries")
LEAKAGE = ("mask", "drop", "fail")
OPTION_ORDERS = ("fixed", "shuffled")
MEASURED = {"motion": ("spotting", "evidence"), "grid": ("thresholds",)}
"""Options in a recipe of the summarisers that read the video themselves."""


@dataclass
class ContextArguments:
    """What the model is told about the time between the keyframes."""

    context: str = recipe_key("none: keyframes only; summaries: what happened in each gap.", default="summaries")
    summarizer: str = recipe_key("Summariser back end, or the name of a folder under summaries/.", default="motion")
    carrier: str = recipe_key(
        "What carries the time between keyframes: summaries, numbers (their facts), or a picture in their place: "
        "contact_sheet of the frames between, difference from onset to apex.",
        default="summaries",
    )
    cues: str | None = recipe_key(
        "CSV file or folder of OpenFace, LibreFace or py-feat that summarizer: motion reads instead of the video.",
        default=None,
    )
    summarizer_options: dict[str, Any] = field(
        default_factory=dict,
        metadata={
            "help": "Options of the summarizer: of vlm, openai, precomputed see data_prep/summarize_frames.py --help; "
            f"of motion {', '.join(MEASURED['motion'])}, of grid {', '.join(MEASURED['grid'])} (docs/context.md)."
        },
    )
    leakage: str = recipe_key(
        "Emotion words in the summaries of such a summarizer: drop, mask or fail.", default="mask"
    )
    show_images: bool = recipe_key("false: the model reads the summaries and sees no keyframe.", default=True)
    trajectory: bool = recipe_key("Tell the course of the whole clip in one line after the last gap.", default=False)
    question: str = recipe_key(
        "What is asked: emotion, action, event, or a sentence of your own with {labels} where the options go.",
        default="emotion",
    )
    language: str = recipe_key("Language of the prompt and of the labels in it: en or zh.", default="en")
    option_order: str = recipe_key("fixed, or shuffled: another order of the options at every draw.", default="fixed")
    max_summary_tokens: int | None = recipe_key("Token budget of a clip's summaries; null for none.", default=None)
    context_control: str = recipe_key(
        "none, shuffled, reversed, static, any, same_class or other_class (see context/controls.py).", default="none"
    )
    corrupt_summaries: str = recipe_key("none, drop, swap, region or time: faults put into summaries.", default="none")
    corrupt_share: float = recipe_key("Share of the gaps that corrupt_summaries makes wrong.", default=0.0)
    summary_dropout: float = recipe_key(
        "Share of the training draws that see no summary, so that the model learns to do without.", default=0.0
    )
    summary_noise: float = recipe_key(
        "Share of the training draws whose summaries are wrong in a quarter, half or all gaps.", default=0.0
    )
    context_seed: int = recipe_key("Seed of shuffled options, controls and faults.", default=0)

    def __post_init__(self) -> None:
        check_word("context", self.context, CONTEXTS)
        check_word("carrier", self.carrier, tuple(CARRIERS))
        check_word("leakage", self.leakage, LEAKAGE)
        check_word("option_order", self.option_order, OPTION_ORDERS)
        if self.cues is not None and self.summarizer != "motion":
            raise ValueError(
                f"cues: only summarizer: motion reads them, found {self.summarizer!r}; remove one of the two"
            )
        if self.summarizer in MEASURED:
            self._check_measured()
        self.prompt_settings()
        self.controls()
        self.training_faults()
        if self.trajectory and (self.max_summary_tokens is not None or self.context_control == "static"):
            raise ValueError(
                "trajectory: true adds a line that max_summary_tokens does not count and context_control: static does "
                "not replace, so arms would differ in tokens; leave the trajectory out of both arms"
            )
        if self.context_control != "none" and self.summary_dropout + self.summary_noise > 0:
            raise ValueError(
                f"summary_dropout and summary_noise change a clip's own summaries, and context_control: "
                f"{self.context_control} replaces or moves them; remove one of the two"
            )
        if self.carrier in PICTURES and (not self.show_images or self.max_summary_tokens is not None):
            raise ValueError(
                f"carrier: {self.carrier} is a picture in place of words; remove show_images: false and "
                "max_summary_tokens"
            )
        if self.context == "none":
            ignored = {
                f"carrier: {self.carrier}": self.carrier != "summaries",
                "show_images: false": not self.show_images,
                "trajectory: true": self.trajectory,
                f"cues: {self.cues}": self.cues is not None,
                "max_summary_tokens": self.max_summary_tokens is not None,
                f"context_control: {self.context_control}": self.context_control != "none",
                f"corrupt_summaries: {self.corrupt_summaries}": self.corrupt_summaries != "none",
                f"summary_dropout: {self.summary_dropout}": self.summary_dropout != 0.0,
                f"summary_noise: {self.summary_noise}": self.summary_noise != 0.0,
            }
            for key, given in ignored.items():
                if given:
                    raise ValueError(f"{key} needs summaries and context is none; remove one of the two")

    def _check_measured(self) -> None:
        known = MEASURED[self.summarizer]
        if self.leakage != "mask":
            raise ValueError(
                f"leakage is of text back ends; summarizer: {self.summarizer} writes no emotion word: remove it"
            )
        odd = [name for name in self.summarizer_options if name not in known]
        if odd:
            raise ValueError(
                f"summarizer_options: {', '.join(map(str, odd))}: summarizer: {self.summarizer} has no such option; it "
                f"knows {', '.join(known)}"
            )
        if self.summarizer_options:
            from emotrain.context.summarize import BACKENDS

            cues = {"cues": self.cues} if self.cues is not None else {}
            BACKENDS[self.summarizer](**cues, **self.summarizer_options)

    def prompt_settings(self) -> PromptSettings:
        """The part that describes the prompt; raises ValueError for a language without templates."""
        return PromptSettings(
            context=self.context,  # type: ignore[arg-type]
            images=self.show_images,
            trajectory=self.trajectory,
            question=self.question,
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

    def training_faults(self) -> TrainingFaults:
        """What goes wrong with the summaries of training draws; raises ValueError for a share out of its range."""
        return TrainingFaults(self.summary_dropout, self.summary_noise, self.context_seed)
