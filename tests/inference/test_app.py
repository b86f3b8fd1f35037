"""The page: a clip dropped in a real browser comes back as keyframes, words and probabilities, and nothing leaves."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from browser import CHROMIUM, Browser

import emotrain
from emotrain.inference.reading_view import problem_html, reading_html

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the page is not opened")


def test_every_figure_of_a_reading_is_in_its_view(trained: Any) -> None:
    reading = emotrain.load(trained.adapter, device="cpu").predict(trained.clip(0))
    text = reading_html(reading)
    assert all(f"{100 * share:.1f}</td>" in text for share in reading.probabilities.values())
    assert text.count("data:image/jpeg;base64,") == len(reading.keyframes) + 1, "the face in its box"
    assert text.count('class="apex" style') == len(reading.events)
    assert "<script" not in text
    assert "http" not in text


def test_names_from_outside_cannot_bring_markup() -> None:
    text = problem_html("<img src=x onerror=alert(1)>.mp4", "<b>bad</b>")
    assert "<img" not in text
    assert "<b>" not in text


@pytest.fixture(scope="module")
def address(trained: Any) -> Iterator[str]:
    pytest.importorskip("gradio", reason="needs pip install 'emotrain[app]': the page is not served")
    from emotrain.inference.app import serve

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    page = serve(emotrain.load(trained.adapter, device="cpu"), port=port, wait=False)
    yield f"http://127.0.0.1:{port}"
    page.close()


def test_it_listens_on_the_loopback_address_alone_and_refuses_a_taken_port(address: str, trained: Any) -> None:
    from emotrain.inference.app import serve

    port = int(address.rpartition(":")[2])
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert {words[1] for words in listening if words[3] == "0A" and int(words[1][9:], 16) == port} == {
        f"0100007F:{port:04X}"
    }
    with pytest.raises(ValueError, match="choose another with --port"):
        serve(emotrain.load(trained.adapter, device="cpu"), port=port, wait=False)


@needs_browser
def test_in_a_browser_a_dropped_clip_is_read(address: str, trained: Any, tmp_path: Path) -> None:
    reading = emotrain.load(trained.adapter, device="cpu").predict(trained.clip(0))
    with Browser(tmp_path / "profile") as browser:
        browser.open(address, 1280, 900)
        browser.wait_for("document.querySelector('#clip input[type=file]') !== null")
        assert "not what somebody feels" in browser.evaluate("document.querySelector('#limits').innerText")
        browser.upload("#clip input[type=file]", trained.clip(0))
        browser.wait_for("document.querySelector('.reading') !== null")
        assert browser.evaluate("document.querySelector('.reading').dataset.label") == reading.label
        assert browser.evaluate("document.querySelectorAll('.strip img').length") == len(reading.keyframes)
        loaded = "[...document.querySelectorAll('.strip img')].every((image) => image.naturalWidth > 0)"
        assert browser.wait_for(loaded)
        shown = browser.evaluate("document.querySelector('.told').innerText")
        assert all(gap.text in shown for gap in reading.gaps if gap.end_s > gap.start_s)
        for width, height in ((1280, 900), (390, 844)):
            browser.size(width, height)
            assert browser.evaluate("document.documentElement.scrollWidth") <= width, "it never scrolls sideways"
        assert browser.complaints() == []
        outside = {url for url in browser.requested() if not url.startswith((address, "data:", "blob:"))}
        assert outside == set(), "fonts, scripts and telemetry of other hosts"


@needs_browser
def test_in_a_browser_a_damaged_clip_gives_its_reason(address: str, trained: Any, tmp_path: Path) -> None:
    shutil.copy(trained.clip(1), tmp_path / "cut.mp4")
    (tmp_path / "cut.mp4").write_bytes(trained.clip(1).read_bytes()[:2000])
    with Browser(tmp_path / "profile") as browser:
        browser.open(address, 390, 844)
        browser.wait_for("document.querySelector('#clip input[type=file]') !== null")
        browser.upload("#clip input[type=file]", tmp_path / "cut.mp4")
        said = browser.wait_for("document.querySelector('.problem')?.innerText")
        assert "cut.mp4 could not be read" in said
        assert "/tmp" not in said, "the server's own paths stay its own"
