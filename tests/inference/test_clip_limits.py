"""How long a clip may be is stated, and a longer one is a sentence, not the end of the process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scenes import frames_of

from emotrain.clip_errors import ClipError
from emotrain.inference.app import page_reading
from emotrain.inference.asked_summaries import AskedSummaries
from emotrain.inference.clip_input import ClipEyes
from emotrain.inference.clip_limits import MOST_ASKED, PAGE_LONGEST_S, check_clip
from emotrain.inference.input_settings import settle
from emotrain.video.decode import open_clip
from emotrain.video.frame_settings import FrameSettings


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory, face_weights: Path, real_faces: Path) -> Path:
    """Eleven minutes of a face at one frame a second; decoding them takes a moment."""
    import av

    face = frames_of(real_faces / "single_face.mp4", 160)

    path = tmp_path_factory.mktemp("film") / "eleven minutes.mp4"
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("libx264", rate=1, options={"preset": "ultrafast"})
        stream.height, stream.width = face.shape[1:3]
        stream.pix_fmt = "yuv420p"
        for i in range(660):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(face[i % len(face)], "rgb24")))
        file.mux(stream.encode())
    return path


class NoModel:
    """Looks at clips; scoring one would fail."""

    def __init__(self) -> None:
        self.eyes = ClipEyes(settle(None, {"label_set": "mafw"}, adapter=None))

    def with_face(self, face: str) -> NoModel:
        return self

    def predict(self, video: str, *, longest_s: float) -> Any:
        return self.eyes.see(Path(video), longest_s=longest_s)


def test_the_page_refuses_a_long_clip_with_a_sentence_and_without_its_place(film: Path) -> None:
    shown = page_reading(NoModel(), str(film))  # type: ignore[arg-type]
    assert "longer than 10 minutes" in shown
    assert "ffmpeg" in shown
    assert str(film.parent) not in shown


def test_predict_reads_it_and_what_it_keeps_and_tells_is_bounded(film: Path) -> None:
    seen = ClipEyes(settle(None, {"label_set": "mafw"}, adapter=None)).see(film)
    assert seen.duration_s == pytest.approx(660)
    assert {frame.role for frame in seen.frames} == {"keyframe"}
    assert max(len(gap.text) for gap in seen.summaries) < 2_000


@pytest.mark.parametrize("decoder", ["pyav", "opencv"])
def test_no_more_is_decoded_than_tells_that_a_clip_is_too_long(
    film: Path, decoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_clip(film, decoder) as reader:
        monkeypatch.setattr(type(reader), "_predict_times", lambda self: None)  # a container that promises nothing
        decoded = 0
        real = type(reader)._decode

        def counted(self: Any) -> Any:
            nonlocal decoded
            for picture in real(self):
                decoded += 1
                yield picture

        monkeypatch.setattr(type(reader), "_decode", counted)
        assert not reader.ends_within(60.0)
        assert decoded <= 62
        assert reader.ends_within(700.0)
        assert reader.n_frames == 660


def test_keyframes_without_end_are_refused(film: Path) -> None:
    with open_clip(film) as reader, pytest.raises(ClipError, match=r"330|660.*--keyframe-policy segment_centres"):
        check_clip(reader, FrameSettings(policy="fps:1"), None)


@pytest.mark.parametrize(("settings", "side"), [({"keyframes": 256}, 4096), ({"keyframes": 256, "size": 8192}, None)])
def test_pixels_without_end_are_refused(film: Path, settings: dict[str, Any], side: int | None) -> None:
    with open_clip(film) as reader:
        with pytest.raises(ClipError, match=r"256 keyframes of [\d,]+ pixels.*--image-size"):
            check_clip(reader, FrameSettings(**settings), None, image_size=side)
        check_clip(reader, FrameSettings(keyframes=256), None, image_size=224)


def test_a_model_is_not_shown_frames_without_end() -> None:
    class Long:
        path, n_frames, duration_s = Path("long.mp4"), 90_000, 3_600.0

        def ends_within(self, longest_s: float) -> bool:
            return self.duration_s <= longest_s

    class Backend:
        name = "openai"

    asked: Any = AskedSummaries(Backend(), "mask", ())  # type: ignore[arg-type]
    every: Any = replace(FrameSettings(), between=None)
    clip: Any = Long()
    with pytest.raises(ClipError, match=f"at most {MOST_ASKED}"):
        check_clip(clip, every, asked)
    check_clip(clip, every, None)
    with pytest.raises(ClipError, match="longer than 10 minutes"):
        check_clip(clip, every, None, PAGE_LONGEST_S)
