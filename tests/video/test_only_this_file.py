"""A video opens itself and nothing else: no file beside it, no address, whatever it says and whoever reads it."""

from __future__ import annotations

import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from emotrain.clip_errors import ClipError
from emotrain.datasets.first_bytes import no_video
from emotrain.video.decode import DECODERS, open_clip
from emotrain.video.decoders.containers import open_container

PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{target}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{target}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{target}</BaseURL></MPD>',
    "sdp": "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
    "spaced": "\n\n  #EXTM3U\n#EXTINF:1,\n{target}\n",
}


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a server on this machine, and what it was asked for."""
    paths: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, *words: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/secret.ts", paths
        server.shutdown()


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8"])
@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_is_named_as_such_and_leads_nowhere(
    tmp_path: Path, clip_30: Path, asked: tuple[str, list[str]], name: str, suffix: str
) -> None:
    shutil.copy(clip_30, tmp_path / "other.mp4")
    for target in (asked[0], str(tmp_path / "other.mp4"), "other.mp4"):
        path = tmp_path / f"clip{suffix}"
        path.write_text(PLAYLISTS[name].format(target=target))
        for decoder in DECODERS:
            with pytest.raises(ClipError, match=r"clip\.\w+: not a video: a playlist, which names other files"):
                open_clip(path, decoder)
        # Were the first bytes not known, FFmpeg would not follow them either.
        with pytest.raises(av.error.FFmpegError), open_container(path) as container:
            next(container.decode(video=0))
    assert asked[1] == []


def test_opencv_is_told_the_same_limits(clip_30: Path, asked: tuple[str, list[str]], tmp_path: Path) -> None:
    import cv2

    with open_clip(clip_30, "opencv"):
        assert "protocol_whitelist;file|" in os.environ["OPENCV_FFMPEG_CAPTURE_OPTIONS"]
    path = tmp_path / "clip.m3u8"
    path.write_text(PLAYLISTS["hls"].format(target=asked[0]))
    assert not cv2.VideoCapture(str(path), cv2.CAP_FFMPEG).isOpened()
    assert asked[1] == []


@pytest.mark.parametrize("name", ["concat:a.mp4|b.mp4", "http:x.mp4", "data:x.mp4", "frame%03d.mp4"])
def test_a_name_that_looks_like_an_address_is_a_name(
    tmp_path: Path, clip_30: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shutil.copy(clip_30, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    for decoder in ("pyav", "opencv", "decord"):
        with open_clip(Path(name), decoder) as clip:
            assert (clip.decoder, clip.n_frames) == (decoder, 30)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "git lfs pull"),
        (b"../../.git/annex/objects/aa/bb/SHA256E-s9--00.mp4", "git annex get"),
        (b"\xef\xbb\xbf \n<!DOCTYPE html><html>log in</html>", "a web page"),
        ("<html>".encode("utf-16"), "a web page"),
        (b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "a server's answer"),
        (b'{"detail": "Not Found"}', "a server's answer"),
        (b"PK\x03\x04clips", "an archive"),
        (b"\x89PNG\r\n\x1a\n", "a single picture"),
        (b"\0" * 5000, "nothing but zeros"),
        (b"export const clip = 1; // a script, by its suffix .ts a video file\n", "text, no video"),
        (b"x", None),
        (b"\0\0\0\x18ftypmp42", None),
    ],
)
def test_what_stands_in_place_of_a_video_is_named(tmp_path: Path, content: bytes, words: str | None) -> None:
    path = tmp_path / "clip.ts"
    path.write_bytes(content)
    found = no_video(path)
    assert found is None if words is None else found is not None and words in found
