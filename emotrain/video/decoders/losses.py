"""What a damaged file cost: counted while PyAV decodes it, told in one sentence."""

from __future__ import annotations

import av

FRAME_A_PACKET = frozenset({"h264", "hevc", "av1", "libdav1d", "mjpeg", "ffv1", "gif"})
"""Codecs in which a packet that brings no frame is a loss; others have packets that show nothing by themselves."""


class Losses:
    """Counts the packets and frames of one pass over a video stream."""

    def __init__(self) -> None:
        self._packets = self._shown = self._frames = self._concealed = 0
        self._end = 0
        self.refused = 0
        """Packets that the decoder raised an error for."""

    def packet(self, packet: av.Packet) -> None:
        """A packet goes to the decoder; those before the start of an edit list are decoded and never shown."""
        self._packets += 1
        self._shown += not packet.is_discard
        if packet.pts is not None:
            self._end = max(self._end, packet.pts + (packet.duration if packet.duration is not None else 0))

    def frame(self, frame: av.VideoFrame) -> None:
        """A frame came out; a corrupt one was patched up from its neighbours by the decoder."""
        self._frames += 1
        self._concealed += frame.is_corrupt

    def in_words(self, stream: av.VideoStream) -> str | None:
        """What was lost, after the last frame; None when nothing was. `stream` is the one that was read."""
        missing_s = self.missing_s(stream)
        stated = self._shown
        if missing_s > 0 and stream.frames > self._packets:
            stated += stream.frames - self._packets
        lost = stated - self._frames
        if stream.codec_context.name not in FRAME_A_PACKET:
            lost = min(lost, self.refused)
        found = []
        if lost > 0:
            found.append(f"{self._frames} of {self._frames + lost} frames could be decoded")
        if self._concealed:
            found.append(f"{self._concealed} of those damaged" if found else f"{self._concealed} frames are damaged")
        if missing_s > 0:
            found.append(f"the file ends {missing_s:.2f} s early")
        return ", ".join(found) if found else None

    def missing_s(self, stream: av.VideoStream) -> float:
        """Seconds between the last packet and the end that the container states, 0 for less than a frame and a half."""
        if stream.duration is None or stream.time_base is None or not self._packets:
            return 0.0
        start = stream.start_time if stream.start_time is not None else 0
        missing = start + stream.duration - self._end
        frame = stream.duration / max(stream.frames, self._packets)
        return float(missing * stream.time_base) if missing > 1.5 * frame else 0.0
