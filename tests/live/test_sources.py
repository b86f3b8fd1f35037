"""Doors for frames: what is named is opened, what is lost is opened again, and nothing waits for who looks at it."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from emotrain.live.capture import Capture
from emotrain.live.clock import StreamClock
from emotrain.live.ring import Grabbed, Ring
from emotrain.live.sources import RawFrames, SourceLost, raw_format, source_of, without_secrets
from emotrain.video.crop import WHOLE
from emotrain.video.decoders.array_picture import ArrayPicture


def blank(time_s: float) -> ArrayPicture:
    return ArrayPicture(time_s, 4, 4, lambda: np.zeros((4, 4, 3), np.uint8))


@pytest.mark.parametrize(
    ("named", "raw", "said"),
    [
        ("no-such.mp4", None, "no camera number"),
        ("-", None, "--raw WIDTHxHEIGHT@FPS"),
        ("0", "640x360@30", "only of frames on standard input"),
        ("-", "640@30", "expected WIDTHxHEIGHT@FPS"),
        ("-", "9000x10@30", "expected sides"),
    ],
)
def test_what_is_no_source_is_told_from_one(named: str, raw: str | None, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        source_of(named, raw)


def test_an_address_is_shown_without_its_secrets() -> None:
    source = source_of("rtsp://me:secret@10.0.0.7/live?token=secret")
    assert source.name == "rtsp://10.0.0.7/live"
    assert source.lasting
    assert without_secrets("http://a/b#secret") == "http://a/b"


def test_a_camera_that_is_not_there_is_lost_with_its_reason() -> None:
    with pytest.raises(SourceLost, match="/dev/video99: cannot be opened"):
        next(iter(source_of("/dev/video99").frames()))


@pytest.mark.parametrize("pixels", ["rgb24", "gray", "yuv420p", "yuyv422"])
def test_raw_frames_are_read_whole_and_a_cut_one_is_left_out(pixels: str) -> None:
    width, height, fps, kind = raw_format(f"32x16@25:{pixels}")
    size = {"rgb24": 3, "gray": 1, "yuv420p": 1.5, "yuyv422": 2}[pixels]
    frame = bytes([128]) * int(width * height * size)
    taken = list(RawFrames(io.BytesIO(frame * 3 + frame[:-1]), width, height, fps, kind).frames())
    assert len(taken) == 3
    assert taken[0].picture.shape() == (16, 32)
    assert abs(int(taken[0].picture.grey(16, WHOLE).mean()) - 128) < 12


class Camera(BaseHTTPRequestHandler):
    """Ten frames of motion JPEG, then the line is dropped."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        for number in range(10):
            image = np.full((48, 64, 3), 20 * number, np.uint8)
            jpeg = cv2.imencode(".jpg", image)[1].tobytes()
            head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n")
            time.sleep(0.01)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def camera() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://user:word@127.0.0.1:{server.server_address[1]}/video"
    server.shutdown()
    server.server_close()


def test_a_camera_on_the_network_that_is_lost_is_opened_again_and_says_so(camera: str) -> None:
    waits: list[float] = []
    capture = Capture(source_of(camera), Ring(60.0))

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 2:
            capture.stop()

    capture.wait = wait
    capture.run()
    assert capture.fault is None
    taken = list(iter(lambda: capture.ring.get(0), None))
    news = [one.why for one in taken if one.picture is None]
    times = [one.time_s for one in taken if one.picture is not None]
    assert len(times) >= 12, "both connections gave frames"
    assert times == sorted(set(times))
    assert [what for what, _ in news] == ["reconnecting", "back", "reconnecting"]
    assert "word" not in str(news)


def test_the_ring_drops_its_oldest_frames_and_no_news_and_never_makes_the_camera_wait() -> None:
    ring = Ring(seconds=1.0, most_bytes=1000)
    ring.put(Grabbed(0.0, 0.0, None, 0, ("clock", "it jumped")))
    for number in range(100):
        ring.put(Grabbed(number / 30, 0.0, blank(0.0), 300))
    assert ring.bytes <= 1000
    assert ring.dropped == 97
    kept = list(iter(lambda: ring.get(0), None))
    assert kept[0].why == ("clock", "it jumped")
    assert [round(one.time_s * 30) for one in kept[1:]] == [97, 98, 99]


def test_time_only_goes_on_whatever_the_stamps_do_and_jumps_are_told() -> None:
    clock, told, times = StreamClock(), [], []
    for number in range(200):
        stamp = number / 30 + (0 if number < 100 else -50.0)
        stamp = 1000.0 + stamp if number >= 150 else stamp
        time_s, jump = clock.at(None if number == 20 else stamp, 7.0 + number / 30)
        times.append(time_s)
        told += [] if jump is None else [(number, round(jump))]
    assert all(b > a for a, b in pairwise(times))
    assert (100, -50) in told
    assert any(number == 150 for number, _ in told)
    assert times[-1] == pytest.approx(199 / 30, abs=0.2)


def test_age_counts_from_the_quickest_frame_so_that_latency_cannot_hide() -> None:
    clock = StreamClock()
    for number in range(60):
        late = 0.5 if number >= 30 else 0.0
        time_s, _ = clock.at(number / 30, 100.0 + number / 30 + late)
    assert clock.age_s(time_s, 100.0 + 59 / 30 + 0.5) == pytest.approx(0.5, abs=0.05)


def test_a_file_keeps_its_pace(people: list[Path]) -> None:
    now, waited = [0.0], []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    capture = Capture(source_of(str(people[0])), Ring(60.0), now=lambda: now[0], wait=wait)
    capture.run()
    assert now[0] == pytest.approx(capture.ring.newest_s, abs=0.05)
    assert capture.frames > 90
