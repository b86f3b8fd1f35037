"""From frames to lines: the training prompt in front of the model, newest window first, everything said and kept."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from live_scenes import Painted, picture_of, scene

import emotrain
from emotrain.cli import app
from emotrain.inference.face_view import FaceView
from emotrain.inference.recogniser import Recogniser
from emotrain.live.clock import StreamClock
from emotrain.live.features import KeyframeFeatures, WithReuse
from emotrain.live.reader import Reader
from emotrain.live.recording import Recording
from emotrain.live.records import LiveReading, Notice
from emotrain.live.ring import Grabbed, Ring
from emotrain.live.run import Wanted, run_streams
from emotrain.live.served import PATH, Served
from emotrain.live.sources import Opened, RawFrames, Taken
from emotrain.live.steadying import Steadied
from emotrain.live.stream import Pace, live_stream
from emotrain.video.decode import open_clip


@pytest.fixture(scope="module")
def recogniser(face_weights: Path) -> Recogniser:
    return emotrain.load(None, base_model="tiny", label_set="mafw")


def keeping(lines: list[Any]) -> Any:
    """A listener that keeps what is said."""
    return lambda stream, said: lines.append(said)


class Noted:
    """Reads nothing, and notes what it was asked in which batch."""

    def __init__(self, recogniser: Recogniser | None = None) -> None:
        self.batches: list[list[Any]] = []
        self.recogniser = recogniser

    def read(self, clips: Sequence[Any]) -> list[Any]:
        self.batches.append(list(clips))
        return list(clips) if self.recogniser is None else self.recogniser.read(list(clips))


def test_a_place_for_one_newest_wins_and_every_stream_has_its_turn() -> None:
    noted, told = Noted(), []
    reader = Reader(noted, at_once=2)
    for number in range(3):
        for stream in ("a", "b", "c"):
            reader.ask(stream, f"{stream}{number}", lambda clip, skipped: told.append((clip, skipped)))  # type: ignore[arg-type]
    assert reader.turn() == 2
    reader.ask("a", "a3", lambda clip, skipped: told.append((clip, skipped)))  # type: ignore[arg-type]
    assert reader.turn() == 2
    assert reader.turn() == 0
    assert noted.batches == [["a2", "b2"], ["c2", "a3"]]
    assert told == [("a2", 2), ("b2", 2), ("c2", 2), ("a3", 0)]


def test_what_a_reading_raises_comes_to_who_asks_next() -> None:
    class Broken:
        def read(self, clips: Sequence[Any]) -> list[Any]:
            raise RuntimeError("no memory")

    reader = Reader(Broken())
    reader.start()
    reader.ask("a", "a0", lambda clip, skipped: None)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="no memory"):
        reader.close()
    with pytest.raises(RuntimeError, match="no memory"):
        reader.ask("a", "a1", lambda clip, skipped: None)  # type: ignore[arg-type]


def test_readings_are_of_whole_windows_with_the_training_prompt_and_reuse_changes_nothing(
    recogniser: Recogniser, people: list[Path]
) -> None:
    lines: list[Any] = []
    noted = Noted(recogniser)
    reader = Reader(noted)
    ring = Ring(60.0)
    pace = Pace(4.0, 1.0, on_events=False)
    stream = live_stream("cam", recogniser, reader, pace, ring, StreamClock(), listeners=[keeping(lines)])

    for taken in Opened("p", people[0], {}, lasting=False).frames():
        assert taken.stamp_s is not None
        ring.put(Grabbed(taken.stamp_s, taken.stamp_s, taken.picture, taken.bytes))
        one = ring.get(0)
        assert one is not None
        stream.step(one)
        reader.turn()
    stream.end()
    reader.turn()
    readings = [line for line in lines if isinstance(line, LiveReading)]
    assert [reading.to_s for reading in readings] == [1.0, 2.0, 4.0]
    (last,) = noted.batches[-1]
    assert len(last.frames) == 8
    offline = recogniser.eyes.see(people[0])
    assert [f.time_s for f in last.frames] == pytest.approx([f.time_s for f in offline.frames], abs=0.04)
    mine, theirs = ([s.text for s in clip.summaries] for clip in (last, offline))
    assert sum(a == b for a, b in zip(mine, theirs)) >= 8, "the words between keyframes are those of predict"
    assert sum(readings[-1].probabilities.values()) == pytest.approx(1.0)

    features = KeyframeFeatures(recogniser.model, recogniser.processor)
    again = WithReuse(recogniser, features)
    fresh = [recogniser.read([clip])[0] for (clip,) in noted.batches]
    kept = [again.read([clip])[0] for (clip,) in noted.batches]
    assert features.reused > 0
    assert features.computed == len({frame.image for (clip,) in noted.batches for frame in clip.frames})
    assert max(abs(a.logits[k] - b.logits[k]) for a, b in zip(fresh, kept) for k in a.logits) < 1e-5


def test_news_of_the_camera_and_another_size_break_the_run(recogniser: Recogniser) -> None:
    view = FaceView(recogniser.contract)
    view.__dict__["detector"] = Painted()
    lines: list[Any] = []
    ring = Ring(60.0)
    listeners = [keeping(lines)]
    stream = live_stream(
        "cam", recogniser, Reader(Noted()), Pace(), ring, StreamClock(), view=view, listeners=listeners
    )
    for number in range(120):
        shape = (120, 160) if number < 60 else (240, 320)
        stream.step(Grabbed(number / 30, number / 30, picture_of(250, shape)))
        if number == 30:
            stream.step(Grabbed(1.0, 1.0, None, 0, ("clock", "the camera's clock jumped by -5.00 s")))
    stream.end()
    told = [line.what for line in lines if isinstance(line, Notice)]
    assert [what for what in told if what not in ("face", "no face")] == ["clock", "size", "ended"]


def taken_of(frames: np.ndarray) -> list[Taken]:
    import io

    height, width = frames.shape[1:3]
    return list(RawFrames(io.BytesIO(frames.tobytes()), width, height, 30.0, "rgb24").frames())


def test_a_recording_that_was_killed_holds_every_frame_and_line_and_goes_on_in_the_next_part(tmp_path: Path) -> None:
    frames = taken_of(scene(7)[:40])
    recording = Recording(tmp_path)
    for number, taken in enumerate(frames):
        recording.frame(5.0 + number / 30 + (0.5 if number >= 20 else 0.0), taken)
        recording.line("cam", Notice(number / 30, "stalled", "x"))
    # Not closed: what a kill leaves behind is what lies on the disk now.
    with open_clip(tmp_path / "0001.ts") as clip:
        assert clip.n_frames == 40
        assert clip.times_s[-1] == pytest.approx(39 / 30 + 0.5, abs=0.002)
    again = Recording(tmp_path)
    again.frame(0.0, frames[0])
    again.close()
    rows = [json.loads(line) for line in (tmp_path / "session.jsonl").read_text().splitlines()]
    assert [row["file"] for row in rows if row["kind"] == "video"] == ["0001.ts", "0002.ts"]
    assert rows[0]["begins_s"] == 5.0
    assert sum(row["kind"] == "notice" for row in rows) == 40


def test_server_sent_events_reach_programs_here_and_no_page_of_elsewhere() -> None:
    served = Served(port=0)
    address = served.start()
    assert address.startswith("http://127.0.0.1:")
    with httpx.Client(timeout=20) as client:
        assert client.get(address, headers={"Host": "evil.example"}).status_code == 403
        assert client.get(address.replace(PATH, "/other")).status_code == 404
        with client.stream("GET", address) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert "access-control-allow-origin" not in answer.headers
            served("cam", Notice(1.0, "face", "1 in view"))
            threading.Timer(0.2, served.close).start()
            got = [line for line in answer.iter_lines() if line]
    assert json.loads(got[0].removeprefix("data: "))["object"] == "emotrain.notice"
    assert got[-1] == "data: [DONE]"


def test_smoothing_and_a_prior_that_follows_steady_a_drawn_stream_and_forget_with_the_person() -> None:
    rng = np.random.default_rng(0)
    truth = np.where(rng.random(300) < 0.8, 1, 0)
    scores = rng.normal(0, 1.2, (300, 3))
    scores[np.arange(300), truth] += 1.5

    def right(steadied: Steadied) -> tuple[float, float]:
        shares = np.stack([steadied.steady(float(n), z) for n, z in enumerate(scores)])
        assert np.allclose(shares.sum(1), 1)
        chosen = shares.argmax(1)
        return float((chosen == truth)[50:].mean()), float((np.diff(chosen) != 0).mean())

    plain, followed, smooth = right(Steadied()), right(Steadied(follow=True)), right(Steadied(smooth_s=3.0))
    assert followed[0] > plain[0] + 0.03
    assert smooth[1] < 0.7 * plain[1]
    one = Steadied(3.0, follow=True)
    first = one.steady(0.0, scores[0])
    one.steady(1.0, scores[1])
    one.forget()
    assert np.array_equal(one.steady(2.0, scores[0]), first)


def test_two_files_share_a_model_and_end_with_what_was_recorded(
    recogniser: Recogniser, people: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "lines.jsonl"
    wanted = Wanted(json=str(out), record=tmp_path / "kept", serve=0)
    written = run_streams(recogniser, [str(people[3]), str(people[1])], Pace(2.0, 0.5), wanted)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(rows) == written
    for video, folder in ((people[3], "0"), (people[1], "1")):
        mine = [row for row in rows if row["stream"] == video.name]
        assert mine[-1]["kind"] == "reading" or any(row["kind"] == "reading" for row in mine)
        assert all(row["age_s"] >= 0 for row in mine if row["kind"] == "reading")
        with open_clip(video) as clip, open_clip(tmp_path / "kept" / folder / "0001.ts") as kept:
            assert kept.n_frames == clip.n_frames
    assert "ended" in capsys.readouterr().out


def test_the_command_says_what_is_missing() -> None:
    from typer.testing import CliRunner

    said = CliRunner().invoke(app, ["stream"])
    assert "name one camera" in str(said.exception)
