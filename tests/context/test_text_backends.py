"""Words from models and files: nothing asked twice, nothing lost, nothing leaked."""

from __future__ import annotations

import json
import logging
import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from chat_server import ChatServer

from emotrain.atomic_files import write_table
from emotrain.clip_errors import ClipError
from emotrain.context import chat_client
from emotrain.context.asking import cleaned, is_refusal, observe_messages
from emotrain.context.gap_request import gap_requests
from emotrain.context.gaps import gaps_of
from emotrain.context.journal import Journal, Reply, read_journal
from emotrain.context.leakage import EmotionWordFound
from emotrain.context.precomputed import read_texts
from emotrain.context.quiet import is_quiet
from emotrain.context.summarize import load_summaries, make_backend, summarize_clips
from emotrain.context.text_backend import BudgetReached, Unanswered
from emotrain.context.vlm_backend import VlmBackend
from emotrain.datasets.clips import read_clips
from emotrain.evaluation.word_leak import written_texts
from emotrain.examples.contract_schema import SUMMARIZERS
from emotrain.modeling.tiny_base_path import tiny_base_path
from emotrain.records import CLIPS, Clip, to_table
from emotrain.stages.report import TooManyBadClips
from emotrain.video.frame_store import FrameStore

GAPS = 9  # six clips with in-between frames in gap 1, three of them in gap 2 as well
WORDS = "The inner brows rise slightly at 1.30 s."


def ask(data: Path, server: ChatServer, **more: Any) -> Any:
    options = {"retries": 2, "timeout_s": 20.0, "model": "m", "base_url": server.url, "shards": 2, **more}
    return summarize_clips(data, "openai", **options)


def test_an_endpoint_is_shown_the_frames_and_its_words_become_summaries(data: Path, serve: Any) -> None:
    server = serve(lambda number, body: WORDS)
    report = ask(data, server, concurrency=3)
    assert report.done.total() == 6
    assert len(server.bodies) == GAPS
    assert 1 <= server.most <= 3
    first = server.bodies[0]
    pictures = [part for part in first["messages"][1]["content"] if part["type"] == "image_url"]
    assert len(pictures) in (2, 3)
    assert pictures[0]["image_url"]["url"].startswith("data:image/jpeg;base64,")
    assert "Never name or guess a feeling" in first["messages"][0]["content"]
    assert first["temperature"] == 0.0
    summaries = load_summaries(data, "openai")["clip0"]
    assert [summary.text for summary in summaries] == ["", WORDS, WORDS]
    assert [summary.changed for summary in summaries] == [False, True, True]
    cost = json.loads(next(data.glob("summaries/openai-*/cost.json")).read_text())
    assert cost["requests"] == GAPS
    assert (cost["tokens_in"], cost["tokens_out"]) == (100 * GAPS, 7 * GAPS)
    ask(data, server)
    assert len(server.bodies) == GAPS, "nothing is summarised twice"


@pytest.mark.parametrize("fault", [("status", 500), ("status", 429), ("hang", 3.0)], ids=str)
def test_a_request_that_fails_once_is_repeated(data: Path, serve: Any, fault: tuple[str, Any]) -> None:
    server = serve(lambda number, body: fault if number == 0 else WORDS)
    report = ask(data, server, timeout_s=1.5, concurrency=1)
    assert report.done.total() == 6
    assert len(server.bodies) == GAPS + 1


@pytest.mark.parametrize("fault", [("status", 503), ("cut", "")], ids=str)
def test_what_stays_broken_is_named_kept_apart_and_asked_for_again(data: Path, serve: Any, fault: Any) -> None:
    broken = [True]
    shown: list[str] = []

    def script(number: int, body: dict[str, Any]) -> Any:
        picture = next(p for p in body["messages"][1]["content"] if p["type"] == "image_url")["image_url"]["url"]
        shown[:] = shown or [picture]
        return fault if broken[0] and picture == shown[0] else WORDS

    server = serve(script)
    with pytest.raises(Unanswered, match=r"gap\(s\) have no reply.*run the stage again"):
        ask(data, server, retries=1, concurrency=1)
    assert not list(data.glob("summaries/openai-*/part-00000*")) or not list(
        data.glob("summaries/openai-*/part-00001*")
    )
    broken[0] = False
    before = len(server.bodies)
    assert ask(data, server, retries=1, concurrency=1).done.total() == 6
    answered = {reply.key for file in data.glob("journals/openai-*/*.jsonl") for reply in read_journal(file)}
    assert len(answered) == GAPS
    assert len(server.bodies) - before < GAPS


def test_a_refusal_leaves_the_gap_empty_and_is_reported(data: Path, serve: Any) -> None:
    server = serve(lambda number, body: "I'm sorry, but I can't help with that." if number == 0 else WORDS)
    report = ask(data, server, concurrency=1)
    assert report.damaged.total() == 1
    texts = [summary.text for clip in load_summaries(data, "openai").values() for summary in clip]
    assert texts.count(WORDS) == GAPS - 1
    assert "declined" in "".join(file.read_text() for file in data.glob("summaries/openai-*/*.damaged.jsonl"))


@pytest.mark.parametrize("status", [400, 413, 422])
def test_a_request_that_the_server_rejects_is_refused_with_the_reason_and_blocks_nothing(
    data: Path, serve: Any, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-0123456789")
    server = serve(lambda number, body: ("status", (status, "filter: sk-secret-0123456789")) if number < 2 else WORDS)
    report = ask(data, server, concurrency=1, key_variable="MY_KEY")
    assert report.done.total() == 6
    assert 1 <= report.damaged.total() <= 2
    replies = [reply for file in data.glob("journals/openai-*/*.jsonl") for reply in read_journal(file)]
    refused = [reply for reply in replies if reply.refused]
    assert len(refused) == 2
    assert all(reply.note.startswith(f"status {status}: ") and "filter: [key]" in reply.note for reply in refused)
    assert f"(status {status}" in "".join(file.read_text() for file in data.glob("summaries/openai-*/*.damaged.jsonl"))
    assert not any(b"sk-secret" in file.read_bytes() for file in data.rglob("*") if file.is_file())
    for part in data.glob("summaries/openai-*/part-*"):
        part.unlink()
    ask(data, server, concurrency=1, key_variable="MY_KEY")
    assert len(server.bodies) == GAPS, "a rerun asks for none of them again"


def test_a_server_that_rejects_every_request_stops_the_run_and_refuses_nothing(
    data: Path, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_client, "IN_A_ROW", 3)
    server = serve(lambda number, body: ("status", 400))
    with pytest.raises(
        ValueError, match=r"first 3 requests were rejected, the last for clip 'clip\d' .*status 400: .*400"
    ):
        ask(data, server, concurrency=1)
    assert len(server.bodies) == 3
    assert not [reply for file in data.glob("journals/openai-*/*.jsonl") for reply in read_journal(file)]
    with pytest.raises(BudgetReached):
        ask(data, server, concurrency=1, max_requests=2)
    assert not [reply for file in data.glob("journals/openai-*/*.jsonl") for reply in read_journal(file)]


def test_a_reply_that_stays_empty_is_asked_for_twice_and_then_refused(data: Path, serve: Any) -> None:
    server = serve(lambda number, body: "" if number in (0, 1, 4) else WORDS)
    ask(data, server, concurrency=1)
    assert len(server.bodies) == GAPS + 2
    replies = [reply for file in data.glob("journals/openai-*/*.jsonl") for reply in read_journal(file)]
    (silent,) = [reply for reply in replies if reply.refused]
    assert (silent.note, silent.tokens_in, silent.fault) == ("the reply is empty", 200, "")
    assert [reply.tokens_in for reply in replies if reply.text] == [100] * 2 + [200] + [100] * 5
    for part in data.glob("summaries/openai-*/part-*"):
        part.unlink()
    ask(data, server)
    assert len(server.bodies) == GAPS + 2


def test_a_server_that_is_gone_stops_the_run_early_and_keeps_what_was_answered(
    data: Path, serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_client, "IN_A_ROW", 2)
    server = serve(lambda number, body: WORDS if number < 1 else ("hang", 1.5))
    with pytest.raises(Unanswered, match=r"2 requests in a row found no server.*base_url.*run again"):
        ask(data, server, concurrency=1, retries=0, timeout_s=0.4)
    replies = [reply for file in data.glob("journals/openai-*/*.jsonl") for reply in read_journal(file)]
    assert [bool(reply.fault) for reply in replies] == [False, True, True]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with pytest.raises(Unanswered, match="2 requests in a row found no server"):
        summarize_clips(data, "openai", model="m", base_url=nobody, retries=0, concurrency=1, shards=2)


def test_a_budget_stops_the_run_and_the_next_goes_on_from_it(data: Path, serve: Any) -> None:
    server = serve(lambda number, body: WORDS)
    with pytest.raises(BudgetReached, match=r"4 requests of 4 are spent"):
        ask(data, server, max_requests=4, concurrency=1)
    assert len(server.bodies) == 4
    with pytest.raises(BudgetReached, match=r"tokens of 200"):
        ask(data, server, max_tokens=200, concurrency=1)
    assert ask(data, server).done.total() == 6
    assert len(server.bodies) == GAPS


@pytest.mark.parametrize("concurrency", [1, 4])
def test_repetitions_of_a_failing_server_spend_the_budget(data: Path, serve: Any, concurrency: int) -> None:
    server = serve(lambda number, body: ("status", 500))
    with pytest.raises(BudgetReached, match="3 requests of 3 are spent"):
        ask(data, server, max_requests=3, retries=5, concurrency=concurrency)
    assert len(server.bodies) == 3


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        (None, "estimated"),
        ({}, "estimated"),
        ({"prompt_tokens": None, "completion_tokens": None}, "estimated"),
        ({"total_tokens": 130}, (120, 10)),
        ({"prompt_tokens": 90, "completion_tokens": None}, (90, 10)),
        ({"prompt_tokens": 90, "total_tokens": 99}, (90, 9)),
    ],
    ids=str,
)
def test_tokens_that_a_server_does_not_count_are_estimated_and_bound_the_run(
    data: Path, serve: Any, usage: Any, tokens: Any
) -> None:
    server = serve(lambda number, body: ("usage", (WORDS, usage)))
    with pytest.raises(BudgetReached, match="tokens of 50 are spent"):
        ask(data, server, max_tokens=50, concurrency=1)
    assert len(server.bodies) == 1
    (reply,) = [reply for file in data.glob("journals/openai-*/*.jsonl") for reply in read_journal(file)]
    assert (reply.text, reply.fault) == (WORDS, "")
    if tokens == "estimated":
        pictures = sum(part["type"] == "image_url" for part in server.bodies[0]["messages"][1]["content"])
        assert pictures * 256 < reply.tokens_in < pictures * 256 + 200
        assert reply.tokens_out == 10
    else:
        assert (reply.tokens_in, reply.tokens_out) == tokens
    assert reply.estimated == (usage != {"prompt_tokens": 90, "total_tokens": 99})
    assert ask(data, server).done.total() == 6
    cost = json.loads(next(data.glob("summaries/openai-*/cost.json")).read_text())
    assert cost["estimated"] == (GAPS if reply.estimated else 0)


def test_replies_that_are_no_chat_completion_are_faults_that_cost_tokens(data: Path, serve: Any) -> None:
    server = serve(lambda number, body: ("body", "null"))
    with pytest.raises(BudgetReached, match="tokens of 50 are spent"):
        ask(data, server, max_tokens=50, concurrency=1)
    (reply,) = [reply for file in data.glob("journals/openai-*/*.jsonl") for reply in read_journal(file)]
    assert reply.fault.startswith("the reply is no chat completion")
    assert reply.tokens_in > 256


def test_a_wrong_key_or_model_stops_at_once_with_what_to_do(data: Path, serve: Any) -> None:
    with pytest.raises(ValueError, match=r"refused the key in OPENAI_API_KEY \(status 401\)"):
        ask(data, serve(lambda number, body: ("status", 401)))
    for status, code in ((404, ""), (400, "model_not_found")):
        server = serve(lambda number, body, status=status, code=code: ("status", (status, "no such model", code)))
        with pytest.raises(ValueError, match=rf"status {status}.*check base_url and model"):
            ask(data, server, concurrency=1)
        assert len(server.bodies) == 1


def test_the_key_is_sent_and_stands_nowhere(
    data: Path, serve: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-0123456789")
    caplog.set_level(logging.DEBUG)
    server = serve(lambda number, body: ("status", 500) if number % 2 else WORDS)
    ask(data, server, key_variable="MY_KEY", retries=5)
    assert {
        headers["authorization" if "authorization" in headers else "Authorization"] for headers in server.headers
    } == {"Bearer sk-secret-0123456789"}
    said = caplog.text + "".join(capfd.readouterr())
    written = b"".join(file.read_bytes() for file in data.rglob("*") if file.is_file())
    assert "sk-secret" not in said
    assert b"sk-secret" not in written


@pytest.mark.parametrize(("policy", "text"), [("mask", "Brows lower, an [...] look."), ("drop", "")])
def test_emotion_words_are_masked_or_dropped_and_counted_by_class(
    data: Path, serve: Any, policy: str, text: str
) -> None:
    server = serve(lambda number, body: "Brows lower, an angry look.")
    ask(data, server, leakage=policy)
    texts = {summary.text for clip in load_summaries(data, "openai").values() for summary in clip}
    assert texts == {"", text}
    (noted,) = data.glob("summaries/openai-*/backend.json")
    assert set(json.loads(noted.read_text())) - {"frames"} <= set(SUMMARIZERS["openai"]), "a contract can say it all"
    counts = [json.loads(file.read_text()) for file in data.glob("summaries/openai-*/leaks/*.json")]
    assert sum(found.get("fear", {}).get("anger", 0) for found in counts) == 6
    assert sum(found.get("anger", {}).get("anger", 0) for found in counts) == 3


def test_another_policy_asks_nothing_again_and_fail_stops(data: Path, serve: Any) -> None:
    server = serve(lambda number, body: "Brows lower, an angry look.")
    ask(data, server, leakage="mask")
    ask(data, server, leakage="drop")
    assert len(server.bodies) == GAPS
    with pytest.raises(EmotionWordFound, match="'angry'"):
        ask(data, server, leakage="fail")


def test_the_users_own_classes_are_emotion_words_of_their_data(data: Path, serve: Any) -> None:
    server = serve(lambda number, body: "A limp look, then limply a nod.")
    ask(data, server)
    (known,) = data.glob("summaries/openai-*")
    assert "labels" not in json.loads((known / "backend.json").read_text())
    clips = read_clips(data)
    metadata = {"root": str(data), "label_set": "own", "labels": '["limp", "fear", "anger"]', "dataset": "csv"}
    write_table(to_table(clips, Clip, metadata).cast(CLIPS.with_metadata(metadata)), data / "clips.parquet")
    ask(data, server)
    assert len(server.bodies) == GAPS, "replies do not hang on the labels"
    (own,) = set(data.glob("summaries/openai-*")) - {known}
    assert json.loads((own / "backend.json").read_text())["labels"] == ["limp"]
    texts = {summary.text for clip in load_summaries(data, own.name).values() for summary in clip}
    assert texts == {"", "A [...] look, then [...] a nod."}
    written = written_texts(own)
    assert written is not None
    assert (len(written), set(written.values())) == (GAPS, {"A limp look, then limply a nod."})
    counts = [json.loads(file.read_text()) for file in own.glob("leaks/*.json")]
    assert sum(found.get("limp", 0) for shard in counts for found in shard.values()) == 2 * GAPS


@pytest.mark.skipif(
    any(find_spec(name) is None for name in ("fastapi", "uvicorn")), reason="needs pip install 'emotrain[serving]'"
)
def test_a_real_server_with_a_real_model_is_asked_about_every_gap(data: Path, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    model = str(tiny_base_path())
    command = [str(Path(sys.executable).with_name("transformers")), "serve", model, "--host", "127.0.0.1"]
    command += ["--port", str(port), "--device", "cpu", "--dtype", "float32"]
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "HF_HOME": str(tmp_path / "hub")}
    log = tmp_path / "server.log"
    with log.open("w", encoding="utf-8") as said:
        server = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
    try:
        for _ in range(3000):
            assert server.poll() is None, log.read_text(encoding="utf-8")[-3000:]
            with socket.socket() as knock:
                if knock.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        report = summarize_clips(
            data,
            "openai",
            model=model,
            base_url=f"http://127.0.0.1:{port}/v1",
            max_new_tokens=8,
            concurrency=2,
            retries=2,
            timeout_s=300.0,
            shards=2,
        )
    finally:
        server.terminate()
        server.wait(timeout=60)
    assert report.done.total() == 6
    replies = [reply for file in data.glob("journals/openai-*/*.jsonl") for reply in read_journal(file)]
    assert len(replies) == GAPS
    assert all(reply.text and not reply.fault and reply.tokens_in > 20 for reply in replies)


def test_a_line_cut_off_by_a_kill_is_asked_for_again_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    with Journal(path) as journal:
        journal.add([Reply("a", 0, "x"), Reply("a", 1, "y", fault="timeout")])
    with path.open("a", encoding="utf-8") as file:
        file.write('{"clip_id": "a", "gap": 2, "te')
    with Journal(path) as journal:
        assert [journal.lacks(("a", gap)) for gap in range(3)] == [False, True, True]
        journal.add([Reply("a", 2, "z")])
    assert [reply.text for reply in read_journal(path)] == ["x", "y", "z"]
    path.write_text("nonsense\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"j\.jsonl:1: 'nonsense' is no reply"):
        list(read_journal(path))


def test_a_real_model_describes_gaps_alike_in_any_batch_and_under_memory_faults(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    requests = [r for clip in read_clips(data) for r in gap_requests(clip, FrameStore(data / "frames"))]
    assert len(requests) == GAPS

    def words(backend: VlmBackend) -> dict[Any, str]:
        replies: list[Reply] = []
        backend.answer(requests, replies.extend)
        assert {reply.key for reply in replies} == {request.key for request in requests}
        assert all(reply.tokens_in > 20 and 0 < reply.tokens_out <= 8 for reply in replies)
        return {reply.key: reply.text for reply in replies}

    backend = VlmBackend(str(tiny_base_path()), dtype="float32", max_new_tokens=8, batch_size=4, device="cpu")
    together = words(backend)
    backend.batch_size = 1
    assert words(backend) == together

    model, _ = backend._load()
    generate, sizes = model.generate, []

    def tight(**inputs: Any) -> Any:
        sizes.append(len(inputs["input_ids"]))
        if sizes[-1] > 2:
            raise torch.OutOfMemoryError("no memory for more than two")
        return generate(**inputs)

    monkeypatch.setattr(model, "generate", tight)
    backend.batch_size = 8
    assert words(backend) == together
    assert sizes[:3] == [8, 4, 2]
    assert max(sizes[2:]) == 2


@pytest.mark.skipif(torch.cuda.is_available(), reason="speaks of machines without a GPU")
@pytest.mark.parametrize("where", [{}, {"device_map": "auto"}], ids=str)
def test_a_model_does_not_run_on_a_cpu_unasked(data: Path, where: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"no CUDA device.*--device cpu"):
        summarize_clips(data, "vlm", model=str(tiny_base_path()), shards=2, **where)


def test_the_vlm_stage_writes_summaries_under_its_fingerprint(data: Path) -> None:
    options = {"model": str(tiny_base_path()), "dtype": "float32", "max_new_tokens": 4, "shards": 2, "device": "cpu"}
    assert summarize_clips(data, "vlm", **options).done.total() == 6
    summarize_clips(data, "vlm", **{**options, "max_new_tokens": 5})
    folders = sorted(data.glob("summaries/vlm-*"))
    assert len(folders) == 2
    assert {json.loads((folder / "backend.json").read_text())["max_new_tokens"] for folder in folders} == {4, 5}
    with pytest.raises(ValueError, match="2 folders of back end 'vlm'"):
        load_summaries(data, "vlm")


def test_precomputed_words_find_their_gaps(data: Path, tmp_path: Path) -> None:
    rows = [
        {"clip_id": "clip0", "text": "brows rise.", "gap": 1},
        {"clip_id": "clip0", "text": "jaw drops.", "time_s": 1.5},
        {"clip_id": "clip0", "text": "all of it."},
        *({"clip_id": f"clip{n}", "text": "no visible change.", "gap": 0} for n in range(1, 6)),
    ]
    path = tmp_path / "texts.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    summarize_clips(data, "precomputed", path=path, shards=2)
    found = load_summaries(data, "precomputed")
    assert [summary.text for summary in found["clip0"]] == ["", "brows rise. jaw drops.", "all of it."]
    assert not found["clip1"][0].changed


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("clip_id,text,gap\nclip0,x,9\n", r"row 2: clip 'clip0' has gaps 0 to 2, not 9"),
        ("clip_id,text,time_s\nclip0,x,99\n", r"row 2: clip 'clip0' lasts from 0\.00 to 3\.00 s"),
        ("clip_id,gap\nclip0,1\n", r"row 2: no text"),
        ("clip_id,text,mood\nclip0,x,sad\n", r"unknown column mood; expected clip_id, text, gap, time_s"),
        ("clip_id,text,gap\nclip0,x,one\n", r"row 2: gap 'one' is no number"),
        ("clip_id,text,gap\nclip0,x,nan\n", r"row 2: gap 'nan' is no number"),
        ("clip_id,text,gap\nclip0,x,inf\n", r"row 2: gap 'inf' is no number"),
        ("clip_id,text,time_s\nclip0,x,nan\n", r"row 2: time_s 'nan' is no number"),
    ],
)
def test_a_row_of_the_users_file_that_is_wrong_is_named(data: Path, tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "texts.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        summarize_clips(data, "precomputed", path=path, max_bad_share=1.0, shards=2)


def test_clips_without_a_row_are_quarantined_not_silently_wordless(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text("clip_id,text\nclip0,brows rise.\n", encoding="utf-8")
    with pytest.raises(TooManyBadClips, match="5 of 6 clips"):
        summarize_clips(data, "precomputed", path=path, shards=2)


def test_a_text_about_a_clip_without_length_is_quarantined_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "texts.csv"
    path.write_text("clip_id,text\na,brows rise.\n", encoding="utf-8")
    with pytest.raises(ClipError, match=r"lasts 0\.00 s.*texts\.csv, row 2.*index the clip with its duration"):
        read_texts(path).texts(gaps_of("a", [0.0], 0.0))


@pytest.mark.parametrize(
    ("backend", "options", "message"),
    [
        ("vlm", {}, "model is missing"),
        ("openai", {"model": "m", "base_url": "x", "blinks": True}, "unknown option blinks"),
        ("gpt", {}, "unknown summary back end 'gpt'"),
    ],
)
def test_options_are_checked_before_anything_is_read(backend: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_backend(backend, options)


def test_back_ends_that_look_between_keyframes_say_so_when_nothing_is_there(data: Path) -> None:
    clip = read_clips(data)[0]
    store = FrameStore(data / "frames")
    only_keys = [frame for frame in store.frames(clip.clip_id) if frame.role == "keyframe"]

    class Keys(FrameStore):
        def frames(self, clip_id: str) -> Any:
            return only_keys

    with pytest.raises(ValueError, match="--between 4"):
        gap_requests(clip, Keys(data / "frames"))


def test_questions_exist_in_both_languages_and_replies_are_tidied(data: Path) -> None:
    request = gap_requests(read_clips(data)[0], FrameStore(data / "frames"))[0]
    assert "面部肌肉" in observe_messages(request, "zh", inline=True)[0]["content"]
    assert "facial muscles" in observe_messages(request, "en", inline=False)[1]["content"][-1]["text"]
    assert cleaned("**Answer:** Brows rise. Lips part. Jaw drops.") == "Brows rise. Lips part."
    assert cleaned("眉毛上扬。嘴唇张开。下巴下降。") == "眉毛上扬。 嘴唇张开。"


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("1. The inner brows rise at 0.3 s.\n2. The lips part.", "The inner brows rise at 0.3 s. The lips part."),
        ("1. Brows lower. 2. Lips part.", "Brows lower. Lips part."),
        ("Here: 1) brows lower 2) lips part 3) jaw drops", "Here: brows lower. lips part."),
        ("- Brows lower\n* **Lips** press", "Brows lower. Lips press."),
        ("1. 眉毛上扬\n2. 嘴唇张开", "眉毛上扬。 嘴唇张开。"),
        ("1.30 s: the jaw drops. It closes at frame 2. Done.", "1.30 s: the jaw drops. It closes at frame 2."),
        ("<think>He looks sad. I must not say so.</think>\nThe brows lower.", "The brows lower."),
        ("He looks sad.</think> The brows lower.", "The brows lower."),
        ("<think>He looks sad because", ""),
    ],
)
def test_lists_become_sentences_and_thoughts_are_no_words(reply: str, words: str) -> None:
    assert cleaned(reply) == words


@pytest.mark.parametrize(
    "reply",
    [
        "I'm sorry, I can't describe people.",
        "I apologize, but I can't analyze faces.",
        "I’m not able to describe people.",
        "I am unable to help with identifying muscles.",
        "Unfortunately, I cannot help.",
        "I don't feel comfortable describing people.",
        "<think>A face. Not allowed.</think> I cannot do that.",
        "很遗憾，我不能描述人脸。",
        "我无法识别图中人物。",
    ],
)
def test_a_reply_that_declines_is_a_refusal(reply: str) -> None:
    assert is_refusal(reply)


@pytest.mark.parametrize(
    "reply",
    [
        "The lips part; I cannot see the chin.",
        "I cannot see any visible change.",
        "I'm sorry, I can't detect any movement between the frames.",
        "I am unable to see any change in the brows, but the lips part.",
        "Unfortunately the frames are dark; the brows lower.",
        "无法看出变化。",
    ],
)
def test_a_reply_that_looked_is_none(reply: str) -> None:
    assert not is_refusal(reply)


@pytest.mark.parametrize(
    ("text", "quiet"),
    [
        ("No visible change.", True),
        ("There is no visible change.", True),
        ("No visible changes between the two frames.", True),
        ("I cannot see any visible change.", True),
        ("The face remains still, nothing moves.", True),
        ("No facial muscles move relative to the first frame.", True),
        ("无可见变化。", True),
        ("没有任何明显变化，脸部保持不变", True),
        ("No visible change until 0.6 s, then the left brow rises.", False),
        ("No change in the brows; the lip corners pull up.", False),
        ("No movement except a slight brow raise.", False),
        ("Only the lips part; the brows are still.", False),
        ("The head is still turning left.", False),
        ("眉毛无变化，嘴角上扬。", False),
        ("眉毛无变化而嘴角上扬", False),
        ("", False),
    ],
)
def test_a_text_is_quiet_when_all_of_it_is(text: str, quiet: bool) -> None:
    assert is_quiet(text) == quiet


def finished(content: Any, reason: str = "stop", **message: Any) -> tuple[str, str]:
    """A whole answer with a finish reason and further fields of its message."""
    usage = {"prompt_tokens": 100, "completion_tokens": 7, "total_tokens": 107}
    choice = {"index": 0, "finish_reason": reason, "message": {"role": "assistant", "content": content, **message}}
    answer = {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage}
    return "body", json.dumps(answer)


PARTS = [{"type": "thinking", "thinking": "maybe angry"}, {"type": "text", "text": WORDS}]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (finished(PARTS), WORDS),
        (finished({"text": WORDS}), WORDS),
        (finished(f"{WORDS} The mouth corners then begin to", "length"), WORDS),
        (finished("The mouth corners begin to", "length"), "The mouth corners begin to"),
    ],
)
def test_parts_are_joined_without_thoughts_and_a_cut_reply_gives_its_whole_sentences(
    data: Path, serve: Any, answer: Any, words: str
) -> None:
    ask(data, serve(lambda number, body: answer))
    assert {summary.text for clip in load_summaries(data, "openai").values() for summary in clip} == {"", words}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (finished(None, "length", reasoning_content="The user asks ..."), "96 while it was thinking"),
        (finished("", "length", reasoning="The user asks ..."), "cut off after max_new_tokens 96 while"),
        (finished("<think>They look angry. Let me", "length"), "cut off after max_new_tokens 96 while"),
        (finished(None, reasoning_content=WORDS), "the model thought and said nothing; turn its thinking off"),
        (("body", '{"error": {"message": "model is loading"}}'), "the reply is no chat completion"),
    ],
)
def test_a_server_whose_replies_have_no_words_stops_the_run_with_the_remedy_and_is_not_paid_twice(
    data: Path, serve: Any, monkeypatch: pytest.MonkeyPatch, answer: Any, said: str
) -> None:
    monkeypatch.setattr(chat_client, "IN_A_ROW", 4)
    server = serve(lambda number, body: answer)
    with pytest.raises(Unanswered, match=rf"4 replies in a row had no words, the last: .*{said}"):
        ask(data, server, concurrency=1)
    assert len(server.bodies) == 4, "none was asked for twice"
    if "no chat" not in said:
        with pytest.raises((Unanswered, TooManyBadClips)):
            ask(data, server, concurrency=1)
        replies = [reply.key for file in data.glob("journals/openai-*/*.jsonl") for reply in read_journal(file)]
        assert len(replies) == len(set(replies)) == len(server.bodies)


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("status", "temperature", "Unsupported value: 'temperature' does not support 0.0 with this model."),
        ("listed", "seed", 'Invalid JSON payload received. Unknown name "seed": Cannot find field.'),
        ("status", "max_completion_tokens", "Unknown parameter: 'max_completion_tokens'."),
    ],
)
def test_a_parameter_that_the_server_does_not_take_is_left_out_once_and_for_all(
    data: Path, serve: Any, kind: str, name: str, message: str
) -> None:
    server = serve(lambda number, body: (kind, (400, message)) if name in body else WORDS)
    assert ask(data, server, concurrency=1).done.total() == 6
    assert len(server.bodies) == GAPS + 1
    if name == "max_completion_tokens":
        assert server.bodies[-1]["max_tokens"] == 96
    cost = json.loads(next(data.glob("summaries/openai-*/cost.json")).read_text())
    assert cost["without"] == [name]


def test_an_account_without_quota_stops_the_run_at_once(data: Path, serve: Any) -> None:
    server = serve(lambda number, body: ("status", (429, "You exceeded your current quota", "insufficient_quota")))
    with pytest.raises(ValueError, match=r"the account of OPENAI_API_KEY has no quota left \(status 429\)"):
        ask(data, server, concurrency=1, retries=5)
    assert len(server.bodies) == 1


def test_a_server_that_wants_a_day_stops_the_run_at_once_and_says_so(data: Path, serve: Any) -> None:
    server = serve(lambda number, body: WORDS if number < 2 else ("status", (429, "Daily limit", "429", 86400)))
    with pytest.raises(
        ValueError, match=r"takes no more for 86400 s \(status 429\): .*Daily limit.*replies so far are kept"
    ):
        ask(data, server, concurrency=1, retries=5)
    assert len(server.bodies) == 3


def test_a_model_that_declines_everything_is_an_error(data: Path, serve: Any) -> None:
    server = serve(lambda number, body: finished(None, refusal="I can't help with identifying people."))
    with pytest.raises(TooManyBadClips, match=r"9 of 9 gaps have no words \(the model declined\), more than --max-bad"):
        ask(data, server)
    assert ask(data, server, max_bad_share=1.0).damaged.total() == 6
    assert len(server.bodies) == GAPS
