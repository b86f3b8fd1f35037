"""`emotrain predict`, `merge`, `app`: using an adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

Adapter = Annotated[str | None, typer.Option(help="Adapter folder, checkpoint, Hub id or id@revision.")]
Base = Annotated[str | None, typer.Option(help="Base model; default the adapter's own. Alone: zero-shot.")]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1; default a visible GPU.")]
Dtype = Annotated[str | None, typer.Option(help="float32, bfloat16, float16; default the adapter's.")]
Labels = Annotated[str | None, typer.Option(help="mafw, dfew, ..., or names with commas.")]
Policy = Annotated[str | None, typer.Option(help="How keyframes are chosen.")]
Keyframes = Annotated[int | None, typer.Option(help="Keyframes a clip.")]
FrameSize = Annotated[int | None, typer.Option(help="Longer side in pixels of a keyframe.")]
Crop = Annotated[str | None, typer.Option(help="face, none (aligned crops) or centre; default the adapter's.")]
View = Annotated[str | None, typer.Option(help="What keyframes show with --crop face: face, scene or both.")]
Face = Annotated[str | None, typer.Option(help="Whom: largest, central, left, right, all, or N from the left.")]
ImageSize = Annotated[int | None, typer.Option(help="Side in pixels that the model sees.")]
Context = Annotated[str | None, typer.Option(help="summaries, or none for keyframes alone.")]
Summarizer = Annotated[str | None, typer.Option(help="Summariser back end.")]
Options = Annotated[str | None, typer.Option(help="Of a summarizer that asks a model: '{base_url: http://...}'.")]
Coverage = Annotated[float | None, typer.Option(help="Also say which labels hold the true one so often, as in .9.")]
Tau = Annotated[float | None, typer.Option(help="Take this much of the training prior off the scores.")]


def predict(
    videos: Annotated[list[str], typer.Argument(help="Videos, folders of videos, or patterns in quotes.")],
    adapter: Adapter = None,
    base: Base = None,
    json: Annotated[str | None, typer.Option(help="Also write JSON lines to this file; - is stdout alone.")] = None,
    top: Annotated[int, typer.Option(min=1, help="Labels shown a clip.")] = 3,
    device: Device = None,
    dtype: Dtype = None,
    label_set: Labels = None,
    keyframe_policy: Policy = None,
    keyframes: Keyframes = None,
    frame_size: FrameSize = None,
    crop: Crop = None,
    view: View = None,
    face: Face = None,
    image_size: ImageSize = None,
    context: Context = None,
    summarizer: Summarizer = None,
    summarizer_options: Options = None,
    tau: Tau = None,
    coverage: Coverage = None,
) -> None:
    """Label probabilities and the time line of each video; how it is read is saved beside the adapter."""
    from emotrain.inference.clip_paths import clip_paths
    from emotrain.inference.predict import predict_all

    given = {
        "label_set": label_set,
        "keyframe_policy": keyframe_policy,
        "keyframes": keyframes,
        "frame_size": frame_size,
        "crop": crop,
        "view": view,
        "face": face,
        "image_size": image_size,
        "context": context,
        "summarizer": summarizer,
        "summarizer_options": summarizer_options,
        "tau": tau,
    }
    paths = clip_paths(videos)
    recogniser = _load(adapter, base, device, dtype, coverage, given)
    predict_all(recogniser, paths, json=json, top=top)


def merge(
    adapter: Annotated[str, typer.Option(help="Adapter folder, checkpoint, Hub id or id@revision.")],
    out: Annotated[Path, typer.Option(help="Folder of the merged checkpoint; must not exist.")],
    base: Base = None,
    dtype: Dtype = None,
) -> None:
    """Write base and adapter as one plain checkpoint, for servers and for transformers alone."""
    from emotrain.inference.merge import merge as run

    typer.echo(f"merged {run(adapter, out, base_model=base, dtype=dtype)}")


def app(
    adapter: Adapter = None,
    base: Base = None,
    host: Annotated[str, typer.Option(help="Address to listen on; other machines see 0.0.0.0.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page.")] = 7860,
    webcam: Annotated[
        bool, typer.Option("--webcam", help="Also a tab that watches the camera of whoever visits.")
    ] = False,
    device: Device = None,
    dtype: Dtype = None,
    label_set: Labels = None,
    keyframe_policy: Policy = None,
    keyframes: Keyframes = None,
    frame_size: FrameSize = None,
    crop: Crop = None,
    view: View = None,
    face: Face = None,
    image_size: ImageSize = None,
    context: Context = None,
    summarizer: Summarizer = None,
    summarizer_options: Options = None,
    tau: Tau = None,
    coverage: Coverage = None,
) -> None:
    """A page in the browser where one drops a clip and sees what the model reads in it."""
    from emotrain.inference.app import serve

    given = {
        "label_set": label_set,
        "keyframe_policy": keyframe_policy,
        "keyframes": keyframes,
        "frame_size": frame_size,
        "crop": crop,
        "view": view,
        "face": face,
        "image_size": image_size,
        "context": context,
        "summarizer": summarizer,
        "summarizer_options": summarizer_options,
        "tau": tau,
    }
    recogniser = _load(adapter, base, device, dtype, coverage, given)
    more = None
    if webcam:
        from functools import partial

        from emotrain.live.webcam import webcam_tab

        more = partial(webcam_tab, recogniser=recogniser)
    serve(recogniser, host=host, port=port, more=more)


def _load(
    adapter: str | None,
    base: str | None,
    device: str | None,
    dtype: str | None,
    coverage: float | None,
    given: dict[str, Any],
) -> Any:
    from emotrain.inference.input_settings import parse_options
    from emotrain.inference.recogniser import load
    from emotrain.inference.threads import one_thread_for_small

    if given["summarizer_options"] is not None:
        given = {**given, "summarizer_options": parse_options(given["summarizer_options"])}
    recogniser = load(adapter, device=device, dtype=dtype, base_model=base, coverage=coverage, **given)
    one_thread_for_small(recogniser.model)
    return recogniser
