"""The question is a key: a template or one's own sentence, in training and, through the contract, in prediction."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from emotrain.context.asking import observe_messages
from emotrain.context.gap_request import GapRequest
from emotrain.context.openai_backend import OpenaiBackend
from emotrain.context.prompt import PromptSettings, build_messages, prompt_text
from emotrain.examples.contract_schema import contract_faults
from emotrain.examples.input_contract import CONTRACT, InputContract, read_contract, template_digests
from emotrain.inference.clip_input import SeenClip, SeenExamples
from emotrain.inference.input_settings import settle
from emotrain.recipe.arguments import ContextArguments
from emotrain.recipe.recipe import RecipeError, parse_recipe
from emotrain.records import Frame, Gap
from emotrain.video.frame_settings import FrameSettings

OWN = "Does the cup move, and how? Choose: {labels}."
FRAME = Frame("a", 0, 0.5, "keyframe", None, b"")


@pytest.mark.parametrize(
    ("question", "ends"),
    [
        ("action", "What happens to the object? Options: no, yes."),
        ("event", "in which half of the clip? Options: no, yes."),
        (OWN, "Does the cup move, and how? Choose: no, yes."),
        ("{{ 1 }} {labels} {0}", "{{ 1 }} no, yes {0}"),
    ],
)
def test_a_question_is_a_template_or_a_sentence_that_is_filled_in_and_never_run(question: str, ends: str) -> None:
    settings = PromptSettings(context="none", question=question)
    assert prompt_text(build_messages([FRAME], [], ["yes", "no"], settings, [1, 0])).endswith(ends)


@pytest.mark.parametrize("odd", ["summary", "What is it?", "two\nlines {labels}", "{labels}" + "x" * 500])
def test_what_is_no_question_is_refused_in_recipes_and_in_contracts(odd: str) -> None:
    with pytest.raises(RecipeError, match="question"):
        parse_recipe({"question": odd})
    context, prompt = asdict(ContextArguments()), asdict(PromptSettings())
    for section, values in (("context", context), ("prompt", prompt)):
        given = {"context": context, "prompt": prompt, section: {**values, "question": odd}}
        faults = contract_faults({"labels": ["a", "b"], "frames": {}, **given})
        assert any(fault.startswith(f"{section}.question") for fault in faults)


def test_prediction_asks_the_question_of_training(tmp_path: Path) -> None:
    context = ContextArguments(context="none", question=OWN)
    prompt = asdict(context.prompt_settings())
    contract = InputContract(
        ("yes", "no"), asdict(FrameSettings()), asdict(context), prompt, templates=template_digests(prompt)
    )
    contract.save(tmp_path)
    assert OWN in (tmp_path / CONTRACT).read_text(encoding="utf-8")
    settled = settle(read_contract(tmp_path), {}, adapter="x")
    examples = SeenExamples(settled, [SeenClip("a.mp4", 1.0, (FRAME,), ())])
    assert prompt_text(examples.messages("a")[0]).endswith("Does the cup move, and how? Choose: yes, no.")


def test_models_are_asked_of_faces_of_objects_or_in_ones_own_words() -> None:
    request = GapRequest(Gap("a", 1, 0.5, 1.0), FRAME, (FRAME,))

    def asked(observe: str) -> str:
        return json.dumps(observe_messages(request, "en", inline=False, observe=observe))

    assert "facial muscle" in asked("face")
    assert "facial" not in asked("objects")
    assert "the cup in these 2 frames from 0.50 s" in asked("Tell of the cup in these {frames} frames from {start_s} s")
    digests = []
    for observe in ("face", "objects", "Tell of the cup"):
        settings = OpenaiBackend("m", "http://127.0.0.1:1/v1", observe=observe).settings()
        digests.append(settings["question"])
        assert settings.get("observe") == ("objects" if observe == "objects" else None)
    assert len(set(digests)) == 3
    with pytest.raises(ValueError, match=r"observe: 'object' is neither.*did you mean 'objects'"):
        OpenaiBackend("m", "http://127.0.0.1:1/v1", observe="object")
