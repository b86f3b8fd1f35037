"""Decode the chosen frames of an H.264 clip and leave out what neither they nor any other frame is predicted from.

A third to a half of the frames that common encoders write are such leaves (B frames that nothing refers to). Leaving
them out changes no pixel of the others. It works on whole clips only: at the first sign of damage `Unsure` is raised,
and the caller makes a full pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import av

from emotrain.video.decoders.losses import Losses

CODECS = frozenset({"h264"})
"""In HEVC a picture that its own layer does not refer to may still be referred to from a higher one."""


class Unsure(Exception):
    """Something is odd about the clip; only a full pass can tell what it holds."""


def only(stream: av.VideoStream, packets: Iterable[av.Packet], wanted: frozenset[int]) -> Iterator[av.VideoFrame]:
    """The frames with the time stamps `wanted`, in presentation order; raises Unsure unless each comes out sound."""
    context, losses, missing = stream.codec_context, Losses(), set(wanted)
    for packet in chain(packets, [None]):
        if packet is not None:
            if packet.is_corrupt:
                raise Unsure
            losses.packet(packet)
            context.skip_frame = "DEFAULT" if packet.pts in wanted else "NONREF"
        try:
            frames = context.decode(packet)
        except (av.error.FFmpegError, ValueError) as error:
            raise Unsure from error
        for frame in frames:
            if frame.is_corrupt:
                raise Unsure
            if frame.pts in missing:
                missing.remove(frame.pts)
                yield frame
    if missing or losses.missing_s(stream) > 0:
        raise Unsure
