"""An adapter whose training summaries a model wrote: the same model is asked again, or it is said what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from chat_server import ChatServer

from emotrain.clip_errors import ClipError
from emotrain.emotions import label_set
from emotrain.examples.input_contract import InputContract
from emotrain.inference.chat import chat_messages
from emotrain.inference.clip_input import ClipEyes
from emotrain.inference.input_settings import parse_options, settle
from emotrain.modeling.tiny_base_path import tiny_base_path
from emotrain.recipe.arguments import ContextArguments

torch.set_num_threads(1)
Saved = Callable[..., Path]


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory, face_weights: Path) -> list[Path]:
    from emotrain.synthetic.clip_set import write_clip_set

    home = tmp_path_factory.mktemp("videos")
    write_clip_set(home, train=22, validation=0, test=0, seed=3, workers=1)
    return sorted((home / "videos").iterdir())


def contract(name: str, *, leakage: str = "mask", between: int = 2, **settings: Any) -> Any:
    """What training on summaries of back end `name` leaves beside an adapter."""
    context = ContextArguments(summarizer=name, leakage=leakage)
    frames = {"between": between, "keyframes": 3, "size": 84}
    made = InputContract(label_set("mafw").labels, frames, asdict(context), asdict(context.prompt_settings()))
    return InputContract(
        made.labels, made.frames, made.context, made.prompt, summarizer={"backend": name, "leakage": leakage} | settings
    )


@pytest.fixture
def saved(tmp_path: Path) -> Saved:
    def save(name: str, **settings: Any) -> Path:
        (tmp_path / name).mkdir(exist_ok=True)
        contract(name, **settings).save(tmp_path / name)
        return tmp_path / name

    return save


def words(messages: list[dict[str, Any]]) -> str:
    return " ".join(part["text"] for message in messages for part in message["content"] if part["type"] == "text")


def test_a_server_is_asked_and_its_words_are_filtered(
    saved: Saved, clips: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    server = ChatServer(lambda number, body: "The brows rise. She looks angry." if number else "Lips part.")
    folder = saved("openai", model="describer")
    try:
        where = parse_options(f"{{model: describer, base_url: {server.url}, concurrency: 1}}")
        text = words(chat_messages(folder, clips[0], summarizer_options=where))
        assert "Lips part." in text
        assert text.count("The brows rise. She looks [...].") == len(server.bodies) - 1 > 0
        assert f"frames of every clip go to {server.url} (model 'describer'" in capsys.readouterr().err
        with pytest.raises(ValueError, match=r"model 'describer' then, 'other' now"):
            chat_messages(folder, clips[0], summarizer_options=where | {"model": "other"})
        forbidden = saved("openai", model="describer", leakage="fail")
        with pytest.raises(ClipError, match="leakage: fail"):
            chat_messages(forbidden, clips[0], summarizer_options=where)
    finally:
        server.close()


@pytest.mark.parametrize(
    ("name", "said", "lacking"),
    [
        ("openai", {}, "model is missing; base_url is missing"),
        ("openai", {"base_url": "http://127.0.0.1:9/v1"}, "model is missing"),
        ("vlm", {"device": "cpu"}, "model is missing"),
    ],
)
def test_an_adapter_chooses_neither_the_model_nor_the_server_that_is_shown_frames(
    saved: Saved, clips: list[Path], name: str, said: dict[str, Any], lacking: str
) -> None:
    with pytest.raises(ValueError, match=rf"does not choose who.*{lacking}.*--summarizer-options.*--context none"):
        chat_messages(saved(name, model="theirs"), clips[0], summarizer_options=said)


def test_a_gap_without_a_reply_is_a_reason_and_not_a_clip_without_words(saved: Saved, clips: list[Path]) -> None:
    server = ChatServer(lambda number, body: ("status", 500))
    options = {"model": "m", "base_url": server.url, "retries": 0}
    try:
        with pytest.raises(ClipError, match=r"\.mp4: gap \d has no summary by openai: .*500"):
            chat_messages(saved("openai", model="m"), clips[0], summarizer_options=options)
    finally:
        server.close()


def test_a_model_on_this_machine_is_asked_about_every_gap(clips: list[Path]) -> None:
    options = {"model": str(tiny_base_path()), "dtype": "float32", "max_new_tokens": 4, "device": "cpu"}
    seen = ClipEyes(settle(contract("vlm", max_new_tokens=4), {"summarizer_options": options}, adapter="a")).see(
        clips[0]
    )
    assert len(seen.summaries) == 4
    assert {summary.backend for summary in seen.summaries} == {"vlm"}
    assert any(summary.text for summary in seen.summaries)


def test_texts_from_a_file_cannot_be_had_for_a_new_video_and_the_remedies_work(saved: Saved, clips: list[Path]) -> None:
    folder = saved("precomputed", leakage="drop", texts="0" * 16)
    for given in ({}, {"summarizer": "precomputed", "crop": "centre"}):
        with pytest.raises(ValueError, match=r'summaries from a file.*summarizer="motion".*context="none"'):
            chat_messages(folder, clips[0], **given)
    assert chat_messages(folder, clips[0], context="none")
    assert chat_messages(folder, clips[0], summarizer="motion")


def test_keyframes_alone_are_not_enough_for_a_model_to_describe() -> None:
    with pytest.raises(ValueError, match=r"between: 0.*--context none"):
        ClipEyes(contract("vlm", model="m", between=0))


@pytest.mark.parametrize("text", ["base_url", "{a: [", "[1]"])
def test_options_that_are_no_mapping_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--summarizer-options"):
        parse_options(text)
