"""Models behind servers: the recipe's own prompt goes out, answers are scored like any arm's, nothing is paid twice."""

from __future__ import annotations

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from chat_server import ChatServer

from emotrain.atomic_files import write_json, write_table
from emotrain.context.text_backend import BudgetReached
from emotrain.emotions import label_set
from emotrain.evaluation.headline import ArmResult, print_table
from emotrain.evaluation.run_report import report_runs
from emotrain.evaluation.served.dialects import DIALECTS
from emotrain.evaluation.served.label_logprobs import prompt_score, reply_scores
from emotrain.evaluation.served.prompts import balanced_shots
from emotrain.evaluation.served.run import evaluate_served, voted
from emotrain.evaluation.served.settings import ServerSettings, server_settings, told_settings
from emotrain.metrics.predictions import read_predictions
from emotrain.recipe.recipe import Recipe, load_recipe
from emotrain.recipes_folder import shipped_recipe
from emotrain.records import CLIPS, FRAMES, Clip, Frame, to_table
from emotrain.stages.parts import part_path
from emotrain.study.arms import Arm

LABELS = label_set("dfew").labels


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    """Two training clips and one test clip of every label of DFEW, with two stored keyframes each."""
    folder = tmp_path / "data"
    clips = [
        Clip(f"{split}-{label}-{n}", f"{label}{n}.mp4", label, split=split, duration_s=3.0)
        for split, many in (("train", 2), ("test", 1))
        for label in LABELS
        for n in range(many)
    ]
    metadata = {"root": str(tmp_path), "label_set": "dfew", "dataset": "csv"}
    write_table(to_table(clips, Clip, metadata).cast(CLIPS.with_metadata(metadata)), folder / "clips.parquet")
    (folder / "frames").mkdir()
    with pq.ParquetWriter(part_path(folder / "frames", 0, 1), FRAMES) as writer:
        for number, clip in enumerate(clips):
            picture = np.full((16, 16, 3), 7 * number, np.uint8)
            jpeg = bytes(cv2.imencode(".jpg", picture)[1])
            frames = [Frame(clip.clip_id, k, 1.0 + k, "keyframe", None, jpeg) for k in range(2)]
            writer.write_table(to_table(frames, Frame).cast(FRAMES))
    write_json({"settings": {"policy": "segment_centres", "keyframes": 2, "size": 16}}, folder / "frames/frames.json")
    keys = {"data": folder, "label_set": "dfew", "keyframes": 2, "frame_size": 16, "context": "none", "resamples": 50}
    words = [word for key, value in keys.items() for word in (f"--{key}", str(value))]
    return load_recipe(shipped_recipe("tiny/base.yaml"), [*words, "--arm", "served"])


def told(body: dict[str, Any]) -> str:
    """The label of the clip that a request shows last, by the grey of its picture."""
    import base64

    url = [p for p in body["messages"][-1]["content"] if p["type"] == "image_url"][-1]["image_url"]["url"]
    grey = cv2.imdecode(np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8), 0).mean()
    return LABELS[round(grey / 7) - 2 * len(LABELS)]


def with_logprobs(text: str, first: dict[str, float]) -> tuple[str, str]:
    """A whole answer whose first token had these alternatives by their probability, the first of them chosen."""
    alternatives = [{"token": token, "logprob": math.log(p)} for token, p in first.items()]
    content = [{**alternatives[0], "top_logprobs": alternatives}]
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    whole = {"id": "x", "object": "chat.completion", "created": 0, "model": "m"}
    usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}
    return "body", json.dumps({**whole, "choices": [{**choice, "logprobs": {"content": content}}], "usage": usage})


def ask(recipe: Recipe, out: Path, server: ChatServer, **more: Any) -> dict[str, Any]:
    options = {"concurrency": 1, "retries": 0, **more}
    return evaluate_served(recipe, out, ServerSettings(server.url, "m", **options))


def test_the_recipes_own_prompt_goes_out_and_words_are_scored(recipe: Recipe, serve: Any, tmp_path: Path) -> None:
    replies = {"anger": "I can't help with that.", "fear": "Hard to say.", "sadness": "Sad or angry."}
    server = serve(lambda number, body: replies.get(told(body), f"The person looks {told(body)}."))
    metrics = ask(recipe, tmp_path / "out", server, kind="transformers", price_in=1.0, price_out=2.0)
    assert metrics["war"]["value"] == pytest.approx(4 / 7)
    assert metrics["rates"]["unparsed"] == pytest.approx(2 / 7)
    assert metrics["rates"]["ambiguous"] == pytest.approx(1 / 7)
    asked = metrics["server"]["asked"]
    assert (asked["requests"], asked["refused"], asked["tokens_in"]) == (7, 1, 700)
    assert asked["price"] == pytest.approx((700 * 1.0 + 49 * 2.0) / 1e6)
    (message,) = server.bodies[0]["messages"]
    assert [part["type"] for part in message["content"]].count("image_url") == 2
    assert message["content"][-1]["text"].endswith(f"Options: {', '.join(LABELS)}.")
    assert "logprobs" not in server.bodies[0]
    ask(recipe, tmp_path / "out", server, kind="transformers")
    assert len(server.bodies) == 7, "what was answered is not asked again"
    page = report_runs(recipe, {"served": tmp_path / "out"}, tmp_path / "out")
    assert "m was asked 7 times" in page.read_text("utf-8")


def test_log_probabilities_become_label_scores_and_a_refused_clip_prefers_none(
    recipe: Recipe, serve: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def script(number: int, body: dict[str, Any]) -> Any:
        label = told(body)
        if label == "fear":
            return "status", (400, "filtered")
        other = next(name for name in LABELS if name != label)
        return with_logprobs(label, {label: 0.7, f" {other}": 0.2, "The": 0.05})

    metrics = ask(recipe, tmp_path / "out", serve(script))
    table = read_predictions(tmp_path / "out" / "predictions.parquet")
    assert table.logits is not None
    rows = {row.label: row for row in table.predictions}
    assert rows["fear"].predicted == "unparsed"
    assert len(set(rows["fear"].logits)) == 1
    assert all(rows[label].predicted == label for label in LABELS if label != "fear")
    assert sorted(rows["anger"].logits)[-2:] == pytest.approx([math.log(0.2), math.log(0.7)])
    print_table([ArmResult("served", metrics, table)])
    assert "| served | m | 7 |" in capsys.readouterr().out


def test_a_server_that_gives_no_log_probabilities_is_read_by_its_words(
    recipe: Recipe, serve: Any, tmp_path: Path
) -> None:
    def script(number: int, body: dict[str, Any]) -> Any:
        return ("status", (400, "Unsupported parameter: logprobs")) if "logprobs" in body else told(body)

    server = serve(script)
    metrics = ask(recipe, tmp_path / "out", server)
    assert metrics["war"]["value"] == 1.0
    assert metrics["scores"] is None
    assert len(server.bodies) == 8
    assert not {"logprobs", "top_logprobs"} & set(server.bodies[-1])


def test_a_budget_stops_the_evaluation_and_the_next_goes_on_from_it(recipe: Recipe, serve: Any, tmp_path: Path) -> None:
    server = serve(lambda number, body: told(body))
    with pytest.raises(BudgetReached, match="3 requests of 3 are spent"):
        ask(recipe, tmp_path / "out", server, max_requests=3)
    assert ask(recipe, tmp_path / "out", server)["war"]["value"] == 1.0
    assert len(server.bodies) == 7
    with pytest.raises(ValueError, match="another adapter, recipe or set of clips"):
        ask(recipe, tmp_path / "out", server, shots=1)


def test_a_study_takes_an_arm_for_done_that_this_model_answered_in_this_way(
    recipe: Recipe, serve: Any, tmp_path: Path
) -> None:
    server = serve(lambda number, body: told(body))
    ask(recipe, tmp_path / "out", server)

    def arm(**more: Any) -> Arm:
        return Arm(recipe, (), tmp_path / "out", False, server=ServerSettings("http://elsewhere/v1", "m", **more))

    assert arm().is_done()
    assert arm(concurrency=2).is_done()
    assert not arm(shots=1).is_done()
    assert not Arm(recipe, (), tmp_path / "out", trained=False).is_done()
    (command,) = arm(shots=1).commands()
    words = command[command.index("--server") :]
    assert words == ["--server", "http://elsewhere/v1", "--model", "m", "--server-options", '{"shots": 1}']
    assert told_settings(words[1], words[3], words[5], None) == arm(shots=1).server


def test_likelihoods_are_asked_for_label_by_label(recipe: Recipe, serve: Any, tmp_path: Path) -> None:
    def script(number: int, body: dict[str, Any]) -> Any:
        assert (body["continue_final_message"], body["add_generation_prompt"]) == (True, False)
        word = body["messages"][-1]["content"]
        right = -0.5 if told({"messages": body["messages"][:-1]}) == word else -4.0
        prompt = [None, {"5": {"logprob": -9.0, "decoded_token": ">"}}]
        prompt += [{"6": {"logprob": logprob, "decoded_token": t}} for t, logprob in ((word[:2], right), (word[2:], 0))]
        answer = json.loads(with_logprobs("", {".": 1.0})[1])
        return "body", json.dumps({**answer, "prompt_logprobs": prompt})

    server = serve(script)
    metrics = ask(recipe, tmp_path / "out", server, kind="vllm", answers="likelihood")
    assert metrics["war"]["value"] == 1.0
    assert metrics["scores"] is not None
    assert len(server.bodies) == 7 * 7


def test_examples_are_of_every_class_alike_and_the_same_for_every_clip(
    recipe: Recipe, serve: Any, tmp_path: Path
) -> None:
    server = serve(lambda number, body: told(body))
    ask(recipe, tmp_path / "out", server, shots=2, samples=3)
    assert len(server.bodies) == 3 * 7
    shown = [[m["content"] for m in body["messages"] if m["role"] == "assistant"] for body in server.bodies]
    assert sorted(shown[0]) == sorted(2 * LABELS)
    assert all(one == shown[0] for one in shown)
    assert [body["seed"] for body in server.bodies[:3]] == [0, 1, 2]
    assert server.bodies[0]["temperature"] == 0.7
    clips = [Clip(str(n), "x.mp4", "ab"[n % 2]) for n in range(40)]
    assert balanced_shots(clips, "ab", 3, seed=0) == balanced_shots(clips[::-1], "ab", 3, seed=0)
    assert balanced_shots(clips, "ab", 3, seed=0) != balanced_shots(clips, "ab", 3, seed=1)
    with pytest.raises(ValueError, match=r"has 20 clip\(s\) of a"):
        balanced_shots(clips, "ab", 21, seed=0)


def test_samples_are_voted_on_and_silence_has_no_vote() -> None:
    assert voted(["sadness", "anger", "anger"]) == "anger"
    assert voted(["unparsed", "sadness", "anger"]) == "sadness"
    assert voted(["unparsed", "ambiguous"]) == "ambiguous"


def position(*alternatives: tuple[str, float]) -> SimpleNamespace:
    listed = [SimpleNamespace(token=token, logprob=math.log(p)) for token, p in alternatives]
    return SimpleNamespace(token=listed[0].token, logprob=listed[0].logprob, top_logprobs=listed)


def said(*positions: SimpleNamespace) -> SimpleNamespace:
    return SimpleNamespace(choices=[SimpleNamespace(logprobs=SimpleNamespace(content=list(positions)))])


def test_labels_that_begin_alike_are_told_apart_where_the_reply_went_and_share_elsewhere() -> None:
    names = {label: label for label in ("disgust", "disappointment", "sad", "sadness")}
    answer = said(position((" dis", 0.6), ("Sad", 0.3), ("di", 0.02)), position(("gust", 0.75), ("app", 0.25)))
    found = reply_scores(answer, names, 0.5)
    assert found is not None
    shares = {label: math.exp(value) for label, value in found.items()}
    assert shares == pytest.approx({"disgust": 0.46, "disappointment": 0.16, "sad": 0.15, "sadness": 0.15})
    ended = said(position(("sad", 1.0)), position((".", 0.9), ("ness", 0.1)))
    found = reply_scores(ended, names, 0.5)
    assert found is not None
    assert math.exp(found["sad"]) == pytest.approx(0.9)
    assert math.exp(found["sadness"]) == pytest.approx(0.1)
    chatty = said(position(("The", 0.9), ("sad", 0.1)))
    assert reply_scores(chatty, names, 0.5) is None
    assert reply_scores(chatty, names, 0.0) is not None
    odd = position(("sad", 1.0))
    odd.logprob = float("nan")
    for answer in (said(), said(odd), said(*[position(("", 1.0))] * 5000), SimpleNamespace(choices=[])):
        assert reply_scores(answer, names, 0.5) is None


def test_a_prompt_that_does_not_end_with_the_label_has_no_likelihood() -> None:
    def ends(*tokens: str) -> SimpleNamespace:
        return SimpleNamespace(prompt_logprobs=[{"1": {"logprob": -1.0, "decoded_token": token}} for token in tokens])

    assert prompt_score(ends("Options: sad", "ly", " sad", "ness"), "sadness") == -2.0
    assert prompt_score(ends("sad", "ness", "<|im_end|>"), "sadness") is None
    assert prompt_score(SimpleNamespace(), "sadness") is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"model": "m"}, "base_url: missing"),
        ({"base_url": "http://a/v1", "model": "m", "shot": 1}, "unknown key 'shot', did you mean 'shots'"),
        ({"base_url": "http://a/v1", "model": "m", "kind": "vlm"}, "did you mean 'vllm'"),
        ({"base_url": "http://a/v1", "model": "m", "answers": "likelihood"}, "say kind: vllm"),
        ({"base_url": "http://a/v1", "model": "m", "samples": 0}, "whole number from 1"),
        ({"base_url": "http://a/v1", "model": "m", "samples": 3, "temperature": 0}, "every sample the same"),
        ({"base_url": "http://a:b@c/v1", "model": "m"}, "without user, password"),
        ({"base_url": "http://a/v1", "model": "m", "key_variable": "HF_TOKEN"}, "secret of another service"),
        ("http://a/v1", "expected {base_url"),
    ],
)
def test_settings_are_checked_before_anything_is_asked(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        server_settings(given)


def test_every_kind_that_binds_replies_names_all_labels() -> None:
    for name, dialect in DIALECTS.items():
        if dialect.choices is not None:
            assert all(label in json.dumps(dialect.choices(LABELS)) for label in LABELS), name
