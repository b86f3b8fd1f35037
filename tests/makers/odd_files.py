"""One small file of every odd or damaged kind that clips come in, each made from `clip_files`."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from clip_files import numbered, write_clip

GOP = {"preset": "ultrafast", "crf": "12", "threads": "1", "g": "10", "keyint_min": "10", "sc_threshold": "0"}


def empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.write_bytes(b"")
    return path


def text(folder: Path) -> Path:
    path = folder / "text.mp4"
    path.write_text("<html>404 Not Found</html>\n" * 50)
    return path


def no_moov(folder: Path) -> Path:
    return _cut(write_clip(folder / "whole.mp4"), folder / "no_moov.mp4", 0.6)


def truncated(folder: Path) -> Path:
    """Cut at 60 %, index in front: half of the frames are still there."""
    whole = write_clip(folder / "front.mp4", options=GOP, container_options={"movflags": "faststart"})
    return _cut(whole, folder / "truncated.mp4", 0.6)


def audio_only(folder: Path) -> Path:
    path = folder / "audio.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 16000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return path


def cover_only(folder: Path, marked: bool = True) -> Path:
    """A song with its cover picture, which containers list as a video stream of one frame, and not all mark."""
    return with_cover(folder / "song.mp4", film=False, marked=marked)


def cover_and_film(folder: Path) -> Path:
    return with_cover(folder / "film.mp4", film=True)


def with_cover(path: Path, film: bool, marked: bool = True) -> Path:
    with av.open(str(path), "w") as container:
        cover = container.add_stream("mjpeg", rate=1)
        cover.width = cover.height = 64
        cover.pix_fmt = "yuvj420p"
        if marked:
            cover.disposition = av.stream.Disposition.attached_pic
        stream = container.add_stream("libx264", rate=25) if film else container.add_stream("aac", rate=16000)
        if film:
            stream.width = stream.height = 64
            stream.pix_fmt = "yuv420p"
        picture = av.VideoFrame.from_ndarray(numbered(255), format="rgb24").reformat(format="yuvj420p")
        picture.pts = 0
        for packet in [*cover.encode(picture), *cover.encode(None)]:
            container.mux(packet)
        for i in range(12):
            frame = av.VideoFrame.from_ndarray(numbered(i), format="rgb24") if film else _silence(i)
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def _silence(i: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 16000, 1024 * i
    return frame


def no_frames(folder: Path) -> Path:
    path = folder / "no_frames.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        container.start_encoding()
    return path


def garbage(folder: Path) -> Path:
    """Noise over a few frames of the second group of pictures."""
    path = write_clip(folder / "garbage.mp4", options=GOP, container_options={"movflags": "faststart"})
    data = bytearray(path.read_bytes())
    start = data.find(b"mdat") + 4
    middle = start + (len(data) - start) // 2
    data[middle : middle + 200] = np.random.default_rng(0).integers(0, 256, 200, np.uint8).tobytes()
    path.write_bytes(data)
    return path


def zeroed_end(folder: Path) -> Path:
    path = write_clip(folder / "zeroed.mp4", options=GOP, container_options={"movflags": "faststart"})
    data = bytearray(path.read_bytes())
    data[-400:] = bytes(400)
    path.write_bytes(data)
    return path


def one_frame(folder: Path) -> Path:
    return write_clip(folder / "one.mp4", 1)


def variable_rate(folder: Path) -> Path:
    return write_clip(folder / "vfr.mp4", len(VFR_MS), stamps_ms=VFR_MS)


VFR_MS = [0, 40, 90, 100, 300, 310, 500, 540, 700, 1000]


def odd_size(folder: Path) -> Path:
    frames = [numbered(i, 225, 223) for i in range(12)]
    return write_clip(folder / "odd.mp4", frames, pixel_format="yuv444p")


def ten_bit(folder: Path) -> Path:
    return write_clip(folder / "ten.mp4", 12, pixel_format="yuv420p10le")


def grey_video(folder: Path) -> Path:
    return write_clip(folder / "grey.mkv", 12, codec="ffv1", pixel_format="gray", options={})


def sixteen_bit(folder: Path) -> Path:
    return write_clip(folder / "sixteen.mkv", 12, codec="ffv1", pixel_format="gray16le", options={})


def hevc(folder: Path) -> Path:
    options = {"preset": "ultrafast", "crf": "12", "x265-params": "log-level=none:pools=1:frame-threads=1"}
    return write_clip(folder / "hevc.mp4", 12, codec="libx265", options=options)


def vp9(folder: Path) -> Path:
    return write_clip(folder / "vp9.webm", 12, codec="libvpx-vp9", options={"cpu-used": "8", "deadline": "realtime"})


def b_frames(folder: Path) -> Path:
    """As common encoders write it: half of the frames are B frames that no other frame is predicted from."""
    options = {"preset": "fast", "crf": "12", "threads": "1", "bf": "3"}
    return write_clip(folder / "b_frames.mp4", 48, options=options, container_options={"movflags": "faststart"})


def av1(folder: Path) -> Path:
    return write_clip(folder / "av1.mp4", 12, codec="libsvtav1", options={"preset": "12", "crf": "20"})


def gif(folder: Path) -> Path:
    return write_clip(folder / "clip.gif", 12, codec="gif", pixel_format="rgb8", options={}, fps=20)


def small_before(folder: Path) -> Path:
    """A preview of 32 pixels as the first stream, with another number in it, and the film behind it."""
    path = folder / "two.mp4"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("libx264", rate=25) for _ in range(2)]
        for stream, side in zip(streams, (32, 64)):
            stream.width = stream.height = side
            stream.pix_fmt = "yuv420p"
        for i in range(12):
            for stream, picture in zip(streams, (numbered(200, 32, 32), numbered(i))):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        for stream in streams:
            container.mux(stream.encode(None))
    return path


def avi_without_stamps(folder: Path) -> Path:
    """H.264 with B frames in AVI, which says in which order frames are decoded and not when they are shown."""
    options = {"preset": "fast", "crf": "12", "threads": "1", "bf": "3"}
    return write_clip(folder / "b_frames.avi", 30, options=options)


def wide_pixels(folder: Path) -> Path:
    """Stored 64 x 32 (high x wide) with pixels twice as wide as high, as discs and cameras do: shown 64 x 64."""
    return _with_aspect(folder / "wide_pixels.mp4", 64, 32, Fraction(2))


def tall_pixels(folder: Path) -> Path:
    return _with_aspect(folder / "tall_pixels.mkv", 64, 128, Fraction(1, 2))


def turned_wide_pixels(folder: Path) -> Path:
    """Lying on its side as `turned`, with pixels that are twice as wide as high before they are turned."""
    upright = [cv2.resize(numbered(i, 64, 64), (64, 32), interpolation=cv2.INTER_AREA) for i in range(12)]
    path = folder / "turned_wide.mp4"
    return _turn(write_clip(path, [np.rot90(f, 1).copy() for f in upright], aspect=Fraction(2)), 64)


def _with_aspect(path: Path, height: int, width: int, aspect: Fraction) -> Path:
    frames = [cv2.resize(numbered(i), (width, height), interpolation=cv2.INTER_AREA) for i in range(12)]
    return write_clip(path, frames, aspect=aspect)


def transport_stream(folder: Path) -> Path:
    return write_clip(folder / "clip.ts", 30)


def turned(folder: Path) -> Path:
    """Stored lying on its left side, with the display matrix of a phone held upright: turn by 90 degrees clockwise."""
    upright = [numbered(i, 64, 96) for i in range(12)]
    return _turn(write_clip(folder / "turned.mp4", [np.rot90(frame, 1).copy() for frame in upright]), 64)


def _turn(path: Path, height: int) -> Path:
    data = bytearray(path.read_bytes())
    one = 1 << 16
    identity = struct.pack(">9i", one, 0, 0, 0, one, 0, 0, 0, 1 << 30)
    at = data.find(identity, data.find(b"tkhd"))
    data[at : at + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, height << 16, 0, 1 << 30)
    path.write_bytes(data)
    return path


def edit_list(folder: Path) -> Path:
    """The first 13 frames are in the file and the edit list says to skip them, as lossless cutters write it."""
    whole = write_clip(folder / "uncut.mp4", options=GOP)
    return _remux(whole, folder / "cut.mp4", shift=-13)


def no_first_keyframe(folder: Path) -> Path:
    """Starts in the middle of a group of pictures: its first nine frames cannot be decoded."""
    return _remux(write_clip(folder / "all.ts", options=GOP), folder / "late.ts", drop=1)


READABLE: dict[str, tuple[Callable[[Path], Path], list[int]]] = {
    "truncated": (truncated, []),
    "garbage": (garbage, []),
    "zeroed_end": (zeroed_end, []),
    "one_frame": (one_frame, [0]),
    "variable_rate": (variable_rate, list(range(10))),
    "odd_size": (odd_size, list(range(12))),
    "ten_bit": (ten_bit, list(range(12))),
    "grey_video": (grey_video, list(range(12))),
    "sixteen_bit": (sixteen_bit, list(range(12))),
    "hevc": (hevc, list(range(12))),
    "b_frames": (b_frames, list(range(48))),
    "vp9": (vp9, list(range(12))),
    "av1": (av1, list(range(12))),
    "gif": (gif, list(range(12))),
    "cover_and_film": (cover_and_film, list(range(12))),
    "small_before": (small_before, list(range(12))),
    "avi_without_stamps": (avi_without_stamps, list(range(30))),
    "wide_pixels": (wide_pixels, list(range(12))),
    "tall_pixels": (tall_pixels, list(range(12))),
    "turned_wide_pixels": (turned_wide_pixels, list(range(12))),
    "transport_stream": (transport_stream, list(range(30))),
    "turned": (turned, list(range(12))),
    "edit_list": (edit_list, list(range(13, 30))),
    "no_first_keyframe": (no_first_keyframe, list(range(10, 30))),
}
"""Name -> maker and the frame numbers that must come out; an empty list where the damage decides."""

UNREADABLE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "empty": (empty, "empty"),
    "text": (text, "not a video"),
    "no_moov": (no_moov, "truncated.*moov"),
    "audio_only": (audio_only, "no video stream"),
    "no_frames": (no_frames, "no frame could be decoded|not a video|no video stream"),
}
"""Name -> maker and a pattern that the reason must match."""


def _cut(path: Path, out: Path, share: float) -> Path:
    data = path.read_bytes()
    out.write_bytes(data[: int(len(data) * share)])
    return out


def _remux(path: Path, out: Path, shift: int = 0, drop: int = 0) -> Path:
    """Copy packets; `shift` moves time stamps by frames (below 0: an edit list), `drop` leaves out the first ones."""
    options = {"use_editlist": "1", "avoid_negative_ts": "disabled"} if out.suffix == ".mp4" else {}
    with av.open(str(path)) as source, av.open(str(out), "w", options=options) as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream)
        for number, packet in enumerate(source.demux(stream)):
            if packet.dts is None or number < drop:
                continue
            step = Fraction(1, 25) / packet.time_base
            packet.pts += int(shift * step)
            packet.dts += int(shift * step)
            packet.stream = copy
            target.mux(packet)
    return out
