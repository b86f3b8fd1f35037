"""`emotrain stream`: a camera in, readings out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from emotrain.cli.inference import (
    Adapter,
    Base,
    Context,
    Crop,
    Device,
    Dtype,
    Face,
    FrameSize,
    ImageSize,
    Keyframes,
    Labels,
    Tau,
    View,
    _load,
)


def stream(
    camera: Annotated[
        str | None, typer.Argument(help="0, /dev/video0, rtsp://..., http://..., a file, or - for raw frames.")
    ] = None,
    adapter: Adapter = None,
    base: Base = None,
    cameras: Annotated[
        Path | None, typer.Option(help="A text file with a camera a line; they share one model.")
    ] = None,
    raw: Annotated[str | None, typer.Option(help="What comes on stdin: WIDTHxHEIGHT@FPS[:PIXELS], rgb24.")] = None,
    window: Annotated[float, typer.Option(help="Seconds that a reading is about.")] = 4.0,
    hop: Annotated[float, typer.Option(help="Seconds from reading to reading.")] = 1.0,
    on_events: Annotated[bool, typer.Option(help="Read when an event ends, too.")] = True,
    json: Annotated[str | None, typer.Option(help="Add JSON lines to this file; - is stdout alone.")] = None,
    record: Annotated[
        Path | None, typer.Option(help="Folder to keep video and lines in; nothing is kept else.")
    ] = None,
    serve: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of server-sent events on this machine; 0 is any.")
    ] = None,
    smooth: Annotated[float, typer.Option(min=0.0, help="Seconds in which older readings fade; 0: none.")] = 0.0,
    follow_prior: Annotated[
        bool, typer.Option("--follow-prior", help="Let the prior follow what this person shows.")
    ] = False,
    device: Device = None,
    dtype: Dtype = None,
    label_set: Labels = None,
    keyframes: Keyframes = None,
    frame_size: FrameSize = None,
    crop: Crop = None,
    view: View = None,
    face: Face = None,
    image_size: ImageSize = None,
    context: Context = None,
    tau: Tau = None,
) -> None:
    """Watch a camera: every change of the face as it is over, and a reading of the last seconds every hop."""
    from emotrain.live.run import Wanted, run_streams
    from emotrain.live.stream import Pace

    given = {
        "label_set": label_set,
        "keyframes": keyframes,
        "frame_size": frame_size,
        "crop": crop,
        "view": view,
        "face": face,
        "image_size": image_size,
        "context": context,
        "tau": tau,
        "summarizer_options": None,
    }
    named = _named(camera, cameras)
    pace = Pace(window, hop, on_events)
    wanted = Wanted(raw, json, record, serve, smooth, follow_prior)
    run_streams(_load(adapter, base, device, dtype, None, given), named, pace, wanted)


def _named(camera: str | None, cameras: Path | None) -> list[str]:
    if (camera is None) == (cameras is None):
        raise ValueError("name one camera (0, an address, a file, -), or a list of them with --cameras LIST")
    if camera is not None:
        return [camera]
    assert cameras is not None
    lines = [line.strip() for line in cameras.read_text(encoding="utf-8").splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    if not named:
        raise ValueError(f"{cameras}: no camera in it; expected one a line, empty lines and # aside")
    return named
