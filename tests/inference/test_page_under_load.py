"""Five people drop a clip at once, one more on a slow line: all are answered, and nobody waits for the line."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("gradio", reason="needs pip install 'emotrain[app]': the page is not served")

READING_S = 0.2


class Slow:
    """Takes a while over each clip, and notes how many it reads at once."""

    shown_name = "slow <b>reader</b>"
    contract = SimpleNamespace(labels=("joy", "fear"), prompt={"context": "none"})
    eyes = SimpleNamespace(shown_to="frames of every clip go to http://<script>/v1")

    def __init__(self) -> None:
        self.at_once = self.most = self.read = 0
        self.lock = threading.Lock()

    def with_face(self, face: str) -> Slow:
        return self

    def predict(self, video: str, *, longest_s: float) -> Any:
        from emotrain.clip_errors import ClipError

        with self.lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(READING_S)
        with self.lock:
            self.at_once -= 1
            self.read += 1
        raise ClipError(f"{video}: read for the {self.read}. time")


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Slow, str, int]]:
    from emotrain.inference.app import serve

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    reader = Slow()
    page = serve(reader, port=port, wait=False)  # type: ignore[arg-type]
    yield reader, f"http://127.0.0.1:{port}", port
    page.close()


def drop(address: str, content: bytes) -> str:
    """Upload a clip as a browser does and wait for what is shown of it."""
    import httpx

    with httpx.Client(base_url=address, timeout=60) as client:
        sent = client.post("/gradio_api/upload", files={"files": ("clip.mp4", content, "video/mp4")})
        sent.raise_for_status()
        name = f"s{threading.get_ident()}"
        value = {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}
        data = {"data": [value, "largest"], "fn_index": 0, "session_hash": name}
        client.post("/gradio_api/queue/join", json=data).raise_for_status()
        with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": name}) as events:
            return "".join(line for line in events.iter_lines() if "process_completed" in line)


def test_five_clips_at_once_are_read_one_by_one_and_all_are_answered_past_a_slow_line(
    served: tuple[Slow, str, int],
) -> None:
    reader, address, port = served
    with socket.create_connection(("127.0.0.1", port)) as slow:
        head = "POST /gradio_api/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\n"
        slow.sendall(f"{head}Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode())
        with ThreadPoolExecutor(5) as people:
            shown = list(people.map(lambda n: drop(address, b"x" * n), range(1, 6)))
    assert reader.read == 5
    assert reader.most == 1
    assert all("could not be read" in answer for answer in shown), shown
    assert not any("gradio/" in answer.partition("problem")[2] for answer in shown), "its place is nobody's business"


def test_names_on_the_page_are_no_markup_and_it_says_where_frames_go(served: tuple[Slow, str, int]) -> None:
    from emotrain.inference.app import _intro, _where

    reader = served[0]
    assert "<b>" not in _intro(reader)  # type: ignore[arg-type]
    said = _where(reader)  # type: ignore[arg-type]
    assert "stay on the machine" not in said
    assert "frames of every clip go to" in said
    assert "<script" not in said
