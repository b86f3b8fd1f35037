"""Rival carriers of the time between keyframes: the same facts as numbers, or a picture at the price of a keyframe."""

from __future__ import annotations

import io
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emotrain.context.carriers import CARRIERS, PICTURES
from emotrain.context.controls import Controls, controlled
from emotrain.context.facs_words import describe
from emotrain.context.number_words import in_numbers
from emotrain.evaluation.content_free import BlankExamples
from emotrain.examples.contract_schema import contract_faults
from emotrain.examples.input_contract import InputContract
from emotrain.inference.clip_input import SeenClip, SeenExamples
from emotrain.pictures import picture_of
from emotrain.recipe.arguments import ContextArguments
from emotrain.recipe.recipe import RecipeError, parse_recipe, read_values
from emotrain.records import Event, Frame, Summary
from emotrain.study.settings import read_study
from emotrain.video.frame_settings import FrameSettings

ROOT = Path(__file__).parents[2]
EVENT = Event(0.53, 0.67, 0.87, ("left brow",), ("1", "15"), 8.2)


def frame(time_s: float, grey: int, role: str = "between") -> Frame:
    written = io.BytesIO()
    Image.new("RGB", (16, 16), (grey,) * 3).save(written, "PNG")
    return Frame("a", 0, time_s, role, 1 if role == "between" else None, written.getvalue())  # type: ignore[arg-type]


FRAMES = [
    frame(0.4, 100, "keyframe"),
    *(frame(0.45 + 0.1 * k, 60 + 10 * k) for k in range(4)),
    frame(1.0, 100, "keyframe"),
]
TOLD = [
    Summary("a", 0, 0.0, 0.4, describe(()), False, "motion"),
    Summary("a", 1, 0.4, 1.0, describe([EVENT]), True, "motion", (EVENT,)),
    Summary("a", 2, 1.0, 1.4, describe(()), False, "motion"),
]


def examples(**context: object) -> SeenExamples:
    arguments = ContextArguments(**context)  # type: ignore[arg-type]
    contract = InputContract(
        ("yes", "no"), asdict(FrameSettings()), asdict(arguments), asdict(arguments.prompt_settings())
    )
    return SeenExamples(contract, [SeenClip("a.mp4", 1.4, tuple(FRAMES), tuple(TOLD))])


def test_numbers_are_the_facts_of_the_sentences_and_stay_numbers_under_controls() -> None:
    told = in_numbers(TOLD)
    assert [gap.text for gap in told] == ["0", "0.53 0.67 0.87 1 15 8", "0"]

    def under(**control: object) -> list[str]:
        controls = Controls(**control)  # type: ignore[arg-type]
        return [g.text for g in controlled("a", lambda _: told, controls, donors=None, count_tokens=len)]

    assert under(control="reversed")[1] == "0.53 0.67 0.87 1 15 8"
    shuffled = under(control="shuffled", seed=1)
    assert all(set(text) <= set("0123456789. ;") for text in shuffled)
    assert under(corrupt="region", corrupt_share=1.0)[1].startswith("0.53 0.67 0.87 ")
    assert under(max_tokens=21) == ["", "0.53 0.67 0.87 1 15 8", ""]
    with pytest.raises(ValueError, match="'vlm' in words without facts"):
        in_numbers([replace(TOLD[1], events=(), backend="vlm")])


def test_a_picture_stands_in_place_of_words_and_costs_one_image() -> None:
    plain, frames = examples(carrier="contact_sheet").messages("a")
    assert len(frames) == 3
    assert sum(part["type"] == "image" for part in plain[0]["content"]) == 3
    assert "brow" not in str(plain)
    sheet = np.asarray(picture_of(frames[-1].image))
    # Two by two, row by row in time order.
    assert [int(sheet[r, c, 0]) for r in (3, 12) for c in (3, 12)] == pytest.approx([60, 70, 80, 90], abs=3)
    numbers, shown = examples(carrier="numbers").messages("a")
    assert len(shown) == 2
    assert "0.53 0.67 0.87 1 15 8" in str(numbers)


def test_a_difference_is_that_of_onset_and_apex_and_grey_where_nothing_happens() -> None:
    show = CARRIERS["difference"].show
    assert show is not None
    made = show(FRAMES, TOLD)
    # The nearest stored frames to 0.53 and 0.67 s are those at 0.55 and 0.65 s: ten levels apart, doubled.
    assert np.asarray(picture_of(made.image)).mean() == pytest.approx(148, abs=2)
    assert made.time_s == pytest.approx(EVENT.apex_s, abs=1e-3)
    still = show(FRAMES, [replace(gap, events=()) for gap in TOLD])
    assert np.asarray(picture_of(still.image)).mean() == pytest.approx(128, abs=2)
    for name in PICTURES:
        carrier = CARRIERS[name].show
        assert carrier is not None
        with pytest.raises(ValueError, match=f"carrier: {name}: clip 'a' has no stored frame between"):
            carrier([f for f in FRAMES if f.role == "keyframe"], TOLD)


def test_a_blank_clip_is_put_to_the_model_by_every_carrier() -> None:
    for carrier, said in (("numbers", "'0 ["), ("contact_sheet", ""), ("difference", "")):
        recipe = parse_recipe({"carrier": carrier, "between": 4, "keyframes": 2, "frame_size": 16})
        messages, shown = BlankExamples(recipe, ("yes", "no")).messages("black")
        assert len(shown) == (3 if carrier in PICTURES else 2)
        assert "no visible change" not in str(messages)
        assert said in str(messages)


def test_what_a_carrier_cannot_go_with_is_refused() -> None:
    for odd, said in (
        ({"carrier": "sheet"}, "carrier: 'sheet' is not one of"),
        ({"carrier": "numbers", "context": "none"}, "carrier: numbers needs summaries"),
        ({"carrier": "difference", "between": 4, "max_summary_tokens": 9}, "a picture in place of words"),
        ({"carrier": "difference"}, "say between: 4"),
        ({"carrier": "difference", "between": 4, "vision_embeddings": "stored"}, "vision_embeddings: stored"),
    ):
        with pytest.raises(RecipeError, match=said):
            parse_recipe(odd)
    context = asdict(ContextArguments())
    prompt = asdict(ContextArguments().prompt_settings())
    given = {"labels": ["a", "b"], "frames": {}, "context": {**context, "carrier": "/tmp/x"}, "prompt": prompt}
    assert any(fault.startswith("context.carrier") for fault in contract_faults(given))


def test_the_arms_of_the_study_cost_the_same() -> None:
    from emotrain.modeling.loading import load_processor

    study = read_study(ROOT / "studies/carriers.yaml")
    tokenizer = load_processor("tiny", image_size=84).tokenizer
    values = read_values(study.recipe)
    image = (values["image_size"] // 28) ** 2 + 2
    stamp = len(tokenizer.encode(" [1.25 s]", add_special_tokens=False))
    most = 2 * (image + stamp)
    assert study.arm("six keyframes").keys["keyframes"] == values["keyframes"] + 2
    budgets = {arm.name: arm.keys["max_summary_tokens"] for arm in study.arms if "max_summary_tokens" in arm.keys}
    assert budgets == {"sentences": most, "numbers": most}
    pictures = [arm for arm in study.arms if arm.keys.get("carrier") in PICTURES]
    assert [arm.keys["keyframes"] for arm in pictures] == [values["keyframes"] + 1] * len(PICTURES)
