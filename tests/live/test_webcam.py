"""The page's webcam, in a real browser whose camera plays a drawn clip."""

from __future__ import annotations

import socket
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from live_scenes import scene

pytest.importorskip("gradio", reason="needs pip install 'emotrain[app]': the page is not served")
sys.path.insert(0, str(Path(__file__).parents[1] / "inference"))

from browser import CHROMIUM, Browser

import emotrain
from emotrain.live.webcam import WAITING, Visit


@pytest.fixture(scope="module")
def recogniser(face_weights: Path) -> Any:
    return emotrain.load(None, base_model="tiny", label_set="mafw")


def test_a_visit_is_read_every_second_and_says_when_the_face_is_gone(recogniser: Any) -> None:
    now = [0.0]
    visit = Visit(recogniser, now=lambda: now[0])
    assert visit.shown() == WAITING
    frames = scene(14)
    for number in range(60):
        now[0] = number / 10
        image = frames[number * 3 % len(frames)] if number < 35 else np.zeros_like(frames[0])
        page = visit.see(image)
    assert "<meter" in page
    assert "[covered]" in page
    assert "[no face]" in page


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_page_watches_the_camera_of_its_visitor(recogniser: Any, tmp_path: Path) -> None:
    import cv2

    from emotrain.inference.app import serve
    from emotrain.live.webcam import webcam_tab

    film = tmp_path / "camera.mjpeg"
    film.write_bytes(b"".join(cv2.imencode(".jpg", frame[..., ::-1])[1].tobytes() for frame in scene(14)))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = serve(recogniser, port=port, wait=False, more=partial(webcam_tab, recogniser=recogniser))
    flags = (
        f"--use-fake-ui-for-media-stream --use-fake-device-for-media-stream --use-file-for-fake-video-capture={film}"
    )
    try:
        with Browser(tmp_path / "profile", 90.0, flags) as browser:
            browser.open(f"http://127.0.0.1:{port}")
            tab = "[...document.querySelectorAll('[role=tab]')].find(t => t.textContent.includes('Webcam'))"
            browser.wait_for(f"!!{tab}")
            browser.evaluate(f"{tab}.click()")
            grant = "document.querySelector('#camera [title=\"grant webcam access\"] button')"
            browser.wait_for(f"!!{grant}")
            # The first click asks for the camera, the next one starts to send its pictures.
            browser.evaluate(f"{grant}.click()")
            browser.wait_for("(document.querySelector('#camera video') || {}).videoWidth > 0")
            browser.wait_for("!!document.querySelector('#camera .button-wrap button')")
            browser.evaluate("document.querySelector('#camera .button-wrap button').click()")
            browser.wait_for("!!document.querySelector('#live meter')")
            local = f"http://127.0.0.1:{port}"
            assert all(u.startswith((local, "data:", "blob:", "ws:")) for u in browser.requested())
    finally:
        page.close()
