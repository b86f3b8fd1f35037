"""Weights are checked wherever they come from, and every way in which they can be missing has one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from emotrain.faces import weights as module
from emotrain.faces.weights import FOLDER, WEIGHTS, DamagedWeights, WeightsMissing, fetch_weights, weights_file

NAME = WEIGHTS["yunet"].name


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and no folder."""
    monkeypatch.delenv(FOLDER, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "emotrain" / "models"


class Hub(ThreadingHTTPServer):
    """Answers every request for the file with `content`."""

    content = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(200)
            self.send_header("X-Repo-Commit", "a" * 40)
            self.send_header("ETag", '"' + "b" * 40 + '"')
            self.send_header("Content-Length", str(len(server.content)))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(server.content)

        def log_message(self, *arguments: object) -> None: ...

    server = Hub(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE",
        server.url + "/{repo_id}/resolve/{revision}/{filename}",
    )
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("home", ["on the Hub", "at an address"])
def test_weights_are_fetched_once_and_then_used_without_a_network(
    face_weights: Path, hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    hub.content = (face_weights / NAME).read_bytes()
    if home == "at an address":
        monkeypatch.setitem(WEIGHTS, "yunet", replace(WEIGHTS["yunet"], home=f"{hub.url}/{NAME}"))
    assert weights_file("yunet") == cache / NAME
    assert (cache / NAME).read_bytes() == hub.content
    assert [file.name for file in cache.iterdir()] == [NAME]
    monkeypatch.setattr(module, "_download", lambda weights: pytest.fail("asked again"))
    assert weights_file("yunet") == cache / NAME


def test_an_address_that_gives_another_file_or_nothing_is_named(
    hub: Hub, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.content = b"something else"
    monkeypatch.setitem(WEIGHTS, "landmarker", replace(WEIGHTS["landmarker"], home=f"{hub.url}/a.task"))
    with pytest.raises(DamagedWeights, match=r"http://127.0.0.1:\d+/a.task gave face_landmarker.task with sha256"):
        weights_file("landmarker")
    monkeypatch.setitem(WEIGHTS, "landmarker", replace(WEIGHTS["landmarker"], home="http://127.0.0.1:9/a.task"))
    with pytest.raises(WeightsMissing, match=r"needs face_landmarker.task \(3758 kB\): http://127.0.0.1:9/a.task: "):
        weights_file("landmarker")
    assert not cache.exists()


def test_a_file_with_another_digest_is_never_stored(hub: Hub, cache: Path) -> None:
    hub.content = b"something else"
    with pytest.raises(DamagedWeights, match=r"opencv/opencv_zoo on the Hub gave .* sha256 .* it was not stored"):
        weights_file("yunet")
    assert not cache.exists()


@pytest.mark.parametrize("damage", [b"", b"\x00" * 1000])
def test_damaged_weights_are_named_and_fetched_anew(face_weights: Path, hub: Hub, cache: Path, damage: bytes) -> None:
    cache.mkdir(parents=True)
    (cache / NAME).write_bytes(damage)
    with pytest.raises(DamagedWeights, match=r"the file is damaged or another one; delete it and run `emotrain faces"):
        weights_file("yunet")
    hub.content = (face_weights / NAME).read_bytes()
    assert fetch_weights("yunet") == cache / NAME


@pytest.mark.parametrize("name", WEIGHTS)
def test_without_a_network_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    # Offline mode: what a cluster's compute nodes are often set to, and it does not wait for time limits.
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsMissing, match=r"needs .* \(\d+ kB\): .*with a network run `emotrain faces"):
        weights_file(name)


def test_a_cache_that_cannot_be_written_is_named(
    face_weights: Path, hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.content = (face_weights / NAME).read_bytes()
    # A file where the folder should be: root may write into a folder without that right.
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(WeightsMissing, match=r"cannot be stored there \(.*\); set XDG_CACHE_HOME"):
        weights_file("yunet")


def test_a_folder_that_is_named_is_the_only_place(
    face_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    with pytest.raises(WeightsMissing, match=rf"{NAME} does not exist; EMOTRAIN_MODELS names this folder"):
        weights_file("yunet")
    os.symlink(face_weights / NAME, tmp_path / NAME)
    assert weights_file("yunet") == tmp_path / NAME
