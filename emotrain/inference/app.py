"""`emotrain app`: a page on this machine where one drops a clip and sees keyframes, summaries and probabilities.

It listens on the loopback address unless told otherwise, is never shared through a tunnel, sends no telemetry, loads
neither fonts nor scripts from other hosts, and deletes what was dropped within the hour.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from html import escape
from pathlib import Path
from typing import Any

from emotrain.clip_errors import ClipError
from emotrain.faces.settings import PERSONS
from emotrain.inference.clip_limits import PAGE_LONGEST_S
from emotrain.inference.reading_view import TEMPLATES, problem_html, reading_html
from emotrain.inference.recogniser import Recogniser

UPLOAD_LIMIT = "512mb"
KEPT_S = 1800
FONTS = ["system-ui", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"]

PEOPLE = [
    *((word, word) for word in PERSONS if word != "all"),
    *((f"number {n} from the left", str(n)) for n in range(1, 7)),
]

EMPTY = '<div class="empty">Drop a clip of one face. Its keyframes, the changes between them and the probability of each label appear here.</div>'  # noqa: E501
LIMITS = (
    "A facial expression is not what somebody feels, and these probabilities are a model's opinion of the expression. "
    "Inferring emotions from faces is restricted by law in places, among them work and school in the European Union. "
    "Do not decide anything about a person by it. "
)
STAY = "Clips stay on the machine that serves this page and are deleted within the hour."
LEAVE = "Clips are deleted within the hour, and {shown_to}."


def page_reading(recogniser: Recogniser, video: str | None, face: str = "largest") -> str:
    """What the page shows for an upload and one of its people: the reading as HTML, or a sentence that says why not."""
    if video is None:
        return EMPTY
    try:
        return reading_html(recogniser.with_face(face).predict(video, longest_s=PAGE_LONGEST_S))
    except ClipError as error:
        # The reason names the upload's place on this machine, which is nobody's business.
        return problem_html(Path(video).name, str(error).replace(video, "the file"))


def build_app(recogniser: Recogniser, more: Callable[[Any], None] | None = None) -> Any:
    """The Gradio page (`gradio.Blocks`) for a loaded model; ValueError says what to install.

    `more` is given gradio and adds tabs beside that for clips.
    """
    gradio = _gradio()

    def read(video: str | None, face: str) -> str:
        return page_reading(recogniser, video, face)

    with gradio.Blocks(title="emotrain", analytics_enabled=False, delete_cache=(KEPT_S, KEPT_S)) as page:
        gradio.HTML(_intro(recogniser), elem_id="intro")
        with gradio.Tabs() if more is not None else nullcontext():
            with gradio.Tab("Clip") if more is not None else nullcontext(), gradio.Row():
                with gradio.Column(scale=2, min_width=300):
                    clip = gradio.Video(label="Clip", sources=["upload"], height=340, elem_id="clip", buttons=[])
                    person = gradio.Dropdown(PEOPLE, value="largest", label="Whose face", elem_id="person")
                with gradio.Column(scale=3, min_width=320):
                    result = gradio.HTML(EMPTY, elem_id="result")
            if more is not None:
                more(gradio)
        gradio.HTML(f"<p>{LIMITS}{_where(recogniser)}</p>", elem_id="limits")
        for changed in (clip, person):
            changed.change(
                read, [clip, person], result, api_visibility="private", concurrency_limit=1, concurrency_id="model"
            )
    return page


def serve(
    recogniser: Recogniser,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    wait: bool = True,
    more: Callable[[Any], None] | None = None,
) -> Any:
    """Serve the page until interrupted, or return at once with the running page when `wait` is False.

    `more` is as in `build_app`. Raises ValueError when the port is taken.
    """
    gradio = _gradio()
    page = build_app(recogniser, more)
    if host not in ("127.0.0.1", "localhost", "::1"):
        print(f"emotrain: the page has no password and {host} lets other machines reach it", flush=True)
    try:
        page.launch(
            server_name=host,
            server_port=port,
            share=False,
            prevent_thread_lock=True,
            quiet=True,
            ssr_mode=False,
            footer_links=[],
            enable_monitoring=False,
            max_file_size=UPLOAD_LIMIT,
            theme=gradio.themes.Base(font=FONTS, font_mono=["ui-monospace", "monospace"]),
            css=(TEMPLATES / "app.css").read_text(encoding="utf-8"),
        )
    except OSError as error:
        raise ValueError(f"port {port} of {host} cannot be used ({error}); choose another with --port") from error
    print(f"open http://{host}:{port} (Ctrl-C ends)", flush=True)
    if wait:
        page.block_thread()
    return page


def _intro(recogniser: Recogniser) -> str:
    contract = recogniser.contract
    told = "with" if contract.prompt["context"] != "none" else "without"
    return (
        "<h1>What does this expression look like?</h1>"
        f"<p>{escape(recogniser.shown_name)} &middot; {len(contract.labels)} labels &middot; {told} summaries"
        " between keyframes</p>"
    )


def _where(recogniser: Recogniser) -> str:
    """Where clips stay or go, in a sentence of HTML."""
    shown_to = recogniser.eyes.shown_to
    return STAY if shown_to is None else escape(LEAVE.format(shown_to=shown_to))


def _gradio() -> Any:
    # Gradio reads the first when it is imported.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        import gradio
    except ImportError as error:
        raise ValueError("the page needs gradio: pip install 'emotrain[app]'") from error
    return gradio
