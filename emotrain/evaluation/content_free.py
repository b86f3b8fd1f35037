"""What a model answers when it is shown nothing: blank clips under the recipe's own prompt.

Several kinds of blank average out what each resembles (black is a dark room, noise a bad tape). Summaries say that
nothing changed, as they do for quiet gaps, so that the prompt differs from a real one in its content alone.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from emotrain.context.facs_words import describe
from emotrain.context.gaps import gaps_of
from emotrain.context.views import STORED, View
from emotrain.examples.examples import Collator, Examples
from emotrain.examples.scoring import score_clips
from emotrain.modeling.label_tokens import LabelTokens
from emotrain.recipe.recipe import Recipe
from emotrain.records import Frame, Summary

BLANKS = ("black", "grey", "white", "noise-0", "noise-1")
DURATION_S = 4.0
NATIVE = 224
"""Side of a blank where frames are stored in their own size."""


class BlankExamples(Examples):
    """Examples whose clip ids are names of blanks."""

    def __init__(self, recipe: Recipe, labels: Sequence[str], tokenizer: Any = None) -> None:
        super().__init__(recipe.data, recipe.context, labels, tokenizer)
        count = recipe.data.keyframes
        self._times_s = [(k + 0.5) * DURATION_S / count for k in range(count)]
        self._size = recipe.data.frame_size if recipe.data.frame_size is not None else NATIVE

    def keyframes(self, clip_id: str) -> list[Frame]:
        """The recipe's number of equal frames, at the centres of equal segments."""
        image = blank(clip_id, self._size)
        return [Frame(clip_id, k, time_s, "keyframe", None, image) for k, time_s in enumerate(self._times_s)]

    def frames(self, clip_id: str) -> list[Frame]:
        """Its keyframes and one frame more between them, for carriers that make a picture of such."""
        keys = self.keyframes(clip_id)
        return [*keys, replace(keys[-1], role="between", gap=len(keys), time_s=DURATION_S)]

    def summaries(
        self, clip_id: str, epoch: int | None = None, draw: int | None = None, view: View = STORED
    ) -> Sequence[Summary]:
        """A quiet summary a gap; none when the arm has no context."""
        if self.prompt.context == "none":
            return ()
        quiet = describe((), language=self.prompt.language)
        gaps = gaps_of(clip_id, self._times_s, DURATION_S)
        return self.carrier.word(
            [Summary(clip_id, gap.gap, gap.start_s, gap.end_s, quiet, False, "none") for gap in gaps]
        )


def blank(kind: str, size: int) -> bytes:
    """A blank picture as PNG: black, grey, white, or noise with a seed ("noise-0")."""
    name, _, seed = kind.partition("-")
    if name == "noise":
        pixels = np.random.default_rng(int(seed)).integers(0, 256, (size, size, 3)).astype(np.uint8)
    else:
        pixels = np.full((size, size, 3), {"black": 0, "grey": 128, "white": 255}[name], np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="png")
    return file.getvalue()


def blank_logits(recipe: Recipe, model: Any, processor: Any, labels: LabelTokens) -> npt.NDArray[np.float64]:
    """Label log-likelihoods (M, C) of the M blanks, in the order of BLANKS."""
    examples = BlankExamples(recipe, labels.labels, processor.tokenizer)
    return score_clips(model, BLANKS, Collator(examples, processor), labels, batch_size=len(BLANKS))
