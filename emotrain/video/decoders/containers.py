"""What may be opened as a video, and which of a file's streams is the video: one answer for all back ends.

A file names what it wants opened: a playlist, `concat`, `sdp` or DASH file lists others, local or on a server. So every
back end opens a local file with `file` as the only protocol and one of FORMATS, containers that hold their own frames.
"""

from __future__ import annotations

from pathlib import Path

import av

PROTOCOLS = "file"
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpegtsraw,mpeg,mpegvideo,m4v,h264,hevc,av1,obu,ivf,vc1,mjpeg,flv,"
    "live_flv,asf,asf_o,gif,ogg,dv,mxf,gxf,nut,rm,wtv,nsv,swf,yuv4mpegpipe,mp3,aac,ac3,flac,wav,w64,aiff,caf,amr,ape,tta"
)
"""FFmpeg's names of the containers that are read; audio ones, so that a song is told from a damaged video."""
WITHOUT_STAMPS = frozenset({"avi"})
"""Containers that say in which order frames are decoded, not when they are shown: a frame counts as its place."""
PICTURES = frozenset({"mjpeg", "png", "bmp", "webp", "tiff", "gif", "jpeg2000", "jpegxl"})
"""Codecs in which songs carry their covers, some containers without marking them as such."""


def open_container(path: Path) -> av.container.InputContainer:
    """The file at `path`, whatever its name looks like to FFmpeg; raises av.error.FFmpegError."""
    options = {"protocol_whitelist": PROTOCOLS, "format_whitelist": FORMATS}
    return av.open(f"file:{path.absolute()}", options=options, metadata_errors="replace")


def main_stream(container: av.container.InputContainer) -> av.VideoStream | None:
    """The video: of the streams that are no cover picture the one with the most pixels, a preview being small.

    Of equals the one the file marks as its default, then the first.
    """
    streams = [stream for stream in container.streams.video if not _is_cover(stream, container)]
    default = av.stream.Disposition.default
    return max(streams, key=lambda s: (_pixels(s), bool(s.disposition & default), -s.index), default=None)


def _pixels(stream: av.VideoStream) -> int:
    return stream.width * stream.height if stream.codec_context is not None else 0


def _is_cover(stream: av.VideoStream, container: av.container.InputContainer) -> bool:
    if stream.disposition & av.stream.Disposition.attached_pic:
        return True
    picture = stream.codec_context is not None and stream.codec_context.name in PICTURES
    return picture and stream.frames == 1 and len(container.streams) > 1
