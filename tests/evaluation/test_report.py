"""The report: one page that holds everything, says what the metrics say, reads on a phone, and filters its clips."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from rich.console import Console
from scipy.special import softmax

from emotrain.emotions import LABEL_SETS, PUBLISHED_COUNTS, frequency_groups
from emotrain.evaluation import figures
from emotrain.evaluation.headline import ArmResult, differences, is_strawman, percent, points, print_table, verdicts
from emotrain.evaluation.report import write_report
from emotrain.evaluation.timeline import ClipStory, timeline
from emotrain.metrics.predictions import PredictionTable
from emotrain.metrics.published import published
from emotrain.metrics.summary import summarise
from emotrain.metrics.verdict import Contrast
from emotrain.records import Clip, Event, Frame, Prediction, Summary

LABELS = LABEL_SETS["mafw"].labels
GROUPS = frequency_groups(PUBLISHED_COUNTS["mafw"])
STRENGTHS = {
    "zero-shot": (0.4, 0.1),
    "sparse + natural": (1.9, 0.2),
    "sparse + balanced": (1.8, 0.4),
    "enriched + natural": (2.6, 2.8),
    "enriched + balanced": (2.8, 3.2),
}
"""Gain of the true label's logit on macro and on micro clips."""


def make_clips(per_class: int) -> dict[str, Clip]:
    clips = {}
    for label in LABELS:
        for i in range(per_class):
            kind = "micro" if i % 5 < 2 else "macro"
            start = 0.6 + 0.17 * (i % 12)
            times = (start, start + 0.15, start + 0.36) if kind == "micro" else (start, start + 0.5, start + 1.4)
            clip_id = f"{label}-{i:03d}"
            clips[clip_id] = Clip(clip_id, f"{clip_id}.mp4", label, kind=kind, duration_s=4.0, split="test",
                                  onset_s=times[0], apex_s=times[1], offset_s=times[2])  # fmt: skip
    return clips


def make_arms(clips: dict[str, Clip], names: list[str] | None = None, resamples: int = 400) -> list[ArmResult]:
    prior = np.log([PUBLISHED_COUNTS["mafw"][label] for label in LABELS])
    arms = []
    for number, name in enumerate(names if names is not None else STRENGTHS):
        rng = np.random.default_rng(number)
        rows = []
        for clip in clips.values():
            logits = rng.normal(size=len(LABELS)) + (0.2 if "balanced" in name else 0.9) * (prior - prior.mean())
            logits[LABELS.index(clip.label)] += STRENGTHS[name][clip.kind == "micro"]
            rows.append(Prediction(clip.clip_id, None, clip.label, LABELS[int(logits.argmax())], tuple(logits), name))
        table = PredictionTable(LABELS, tuple(rows))
        kinds = {clip.clip_id: clip.kind for clip in clips.values()}
        metrics = summarise(table, groups=GROUPS, kinds=kinds, resamples=resamples)
        arms.append(ArmResult(name, metrics, table, {"context": name.split(" + ")[0], "learning_rate": 2e-4}))
    return arms


def make_stories(clips: dict[str, Clip], arms: list[ArmResult], ids: list[str], keyframes: int = 4) -> list[ClipStory]:
    return [_story(clips[clip_id], arms, keyframes) for clip_id in ids]


def _story(clip: Clip, arms: list[ArmResult], keyframes: int) -> ClipStory:
    assert None not in (clip.duration_s, clip.onset_s, clip.apex_s, clip.offset_s)
    times = [(i + 0.5) * clip.duration_s / keyframes for i in range(keyframes)]
    truth = Event(clip.onset_s, clip.apex_s, clip.offset_s, ("brows",), ("4", "7"), 8.0)
    found = Event(clip.onset_s + 0.03, clip.apex_s - 0.03, clip.offset_s + 0.05, ("brows", "lids"), ("4",), 7.1)
    edges = [0.0, *times, clip.duration_s]
    summaries = []
    for gap, (start, end) in enumerate(pairwise(edges)):
        inside = start <= found.apex_s < end
        words = "inner brows lower, lids tighten"
        text = f"{found.onset_s:.2f}-{found.offset_s:.2f} s: {words} (brief, peak {found.apex_s:.2f} s); then relax."
        summaries.append(
            Summary(
                clip.clip_id,
                gap,
                start,
                end,
                text if inside else "No change.",
                inside,
                "motion",
                (found,) if inside else (),
            )
        )
    frames = [
        Frame(clip.clip_id, i, t, "keyframe", None, draw_face(i, clip.onset_s <= t <= clip.offset_s))
        for i, t in enumerate(times)
    ]
    probabilities = {}
    for arm in arms:
        row = next(p for p in arm.table.predictions if p.clip_id == clip.clip_id)
        probabilities[arm.name] = softmax(np.array([row.logits]))[0]
    return ClipStory(clip, frames, summaries, probabilities, [truth])


def draw_face(index: int, moved: bool) -> bytes:
    """A JPEG of a plain drawn face, brows lowered when `moved`."""
    image = np.full((128, 128, 3), (96, 84, 72), np.uint8)
    cv2.ellipse(image, (64 + index, 68), (38, 50), 0, 0, 360, (150, 178, 215), -1, cv2.LINE_AA)
    for side in (-1, 1):
        x = 64 + index + side * 16
        cv2.circle(image, (x, 60), 5, (40, 40, 40), -1, cv2.LINE_AA)
        inner, outer = (52 if moved else 47), 46
        cv2.line(image, (x - side * 8, inner), (x + side * 9, outer), (50, 60, 80), 3, cv2.LINE_AA)
    cv2.ellipse(image, (64 + index, 92), (13, 4), 0, 0, 360, (90, 90, 180), -1, cv2.LINE_AA)
    done, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])
    assert done
    return jpeg.tobytes()


CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
IDS = [f"{label}-{i:03d}" for label in ("anger", "contempt", "neutral") for i in (1, 3)]


@pytest.fixture(scope="module")
def clips() -> dict[str, Clip]:
    return make_clips(10)


@pytest.fixture(scope="module")
def arms(clips: dict[str, Clip]) -> list[ArmResult]:
    return make_arms(clips)


@pytest.fixture(scope="module")
def page(clips: dict[str, Clip], arms: list[ArmResult], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report")
    return write_report(
        out,
        arms,
        title="Frames <sparse> & enriched",
        clips=clips,
        stories=make_stories(clips, arms, IDS),
        published=published("mafw"),
        notes=["Synthetic <b>faces</b>."],
        resamples=300,
    )


def test_the_page_needs_nothing_outside_itself(page: Path) -> None:
    text = page.read_text("utf-8")
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)""", text)
    assert not re.search(r"https?://|@import|url\(", text)
    assert text.count("data:image/jpeg;base64,") == 4 * len(IDS)


def test_names_from_files_are_escaped(page: Path) -> None:
    text = page.read_text("utf-8")
    assert "Frames &lt;sparse&gt; &amp; enriched" in text
    assert "<b>faces</b>" not in text


def test_the_page_states_every_headline_figure(page: Path, arms: list[ArmResult]) -> None:
    text = page.read_text("utf-8")
    for arm in arms:
        for key in ("war", "uar", "macro_f1", "tail_f1", "micro_accuracy", "macro_accuracy"):
            value = arm.metrics[key]
            cell = (
                f'<b>{percent(value["value"])}</b><span class="span">{percent(value["low"])} – {percent(value["high"])}'
            )
            assert cell in text
    for row in published("mafw"):
        assert f"{row.uar:.2f}" in text


def test_differences_describe_and_declared_contrasts_decide(page: Path, arms: list[ArmResult], tmp_path: Path) -> None:
    stored = json.loads((page.parent / "differences.json").read_text("utf-8"))
    assert stored["reference"] == arms[0].name
    assert list(stored["arms"]) == [arm.name for arm in arms[1:]]
    assert stored["contrasts"] == []
    contrast = Contrast(arms[0].name, arms[1].name, "uar")
    found = verdicts(arms, {}, [contrast], resamples=200)
    write_report(tmp_path, arms, title="t", clips={}, found=found, resamples=200)
    (row,) = json.loads((tmp_path / "differences.json").read_text("utf-8"))["contrasts"]
    assert (row["first"], row["second"], row["p_holm"]) == (arms[0].name, arms[1].name, found[0].p)
    assert row["verdict"] in (tmp_path / "report.html").read_text("utf-8")
    default = verdicts(arms, {}, resamples=200)
    assert [one.contrast.second for one in default] == [arm.name for arm in arms[1:]]
    assert max(one.p_holm for one in default) >= max(one.p for one in default)


def test_an_arm_below_chance_is_marked_wherever_it_stands(arms: list[ArmResult], tmp_path: Path, capsys: Any) -> None:
    straw = replace(arms[0], metrics={**arms[0].metrics, "uar": {"value": 0.05, "low": 0.03, "high": 0.07}})
    assert is_strawman(straw)
    assert not is_strawman(arms[-1])
    print_table([straw, arms[-1]], console=Console(width=200))
    shown = capsys.readouterr().out
    assert f"{straw.name} †" in shown
    assert "below chance (9.1)" in shown
    write_report(tmp_path, [straw, arms[-1]], title="t", clips={}, compared=[None, None], resamples=50)
    assert "below chance (9.1)" in (tmp_path / "report.html").read_text("utf-8")


def test_figures_lie_beside_the_page(page: Path) -> None:
    folder = page.parent / "figures"
    names = {"headline", "per_class", "confusion", "collapse", "reliability"}
    assert {path.name for path in folder.iterdir()} == {f"{n}.{s}" for n in names for s in ("png", "svg")}
    for name in names:
        image = cv2.imread(str(folder / f"{name}.png"))
        assert image is not None
        assert image.std() > 5
        assert "<svg" in (folder / f"{name}.svg").read_text("utf-8")


def test_one_bare_arm_without_scores_groups_kinds_or_stories(tmp_path: Path) -> None:
    rows = tuple(Prediction(f"c{i}", None, LABELS[i % 11], LABELS[i % 7]) for i in range(44))
    table = PredictionTable(LABELS, rows)
    arm = ArmResult("only labels", summarise(table, resamples=50), table)
    text = write_report(tmp_path, [arm], title="Bare", clips={}, resamples=50).read_text("utf-8")
    assert 'id="calibration"' not in text
    assert 'id="clips"' not in text
    assert "Tail F1" not in text


def test_arms_that_score_other_clips_are_refused(tmp_path: Path, arms: list[ArmResult], clips: dict[str, Clip]) -> None:
    part = arms[1].table.subset([row.clip_id for row in arms[1].table.predictions[5:]])
    other = ArmResult("short", summarise(part, groups=GROUPS, resamples=20), part)
    with pytest.raises(ValueError, match="arm 'short' cannot be set beside 'zero-shot'"):
        write_report(tmp_path, [arms[0], other], title="x", clips=clips)
    with pytest.raises(ValueError, match="different names"):
        write_report(tmp_path, [arms[0], arms[0]], title="x", clips=clips)
    wrong = ClipStory(clips["anger-001"], probabilities={"zero-shot": [0.5, 0.5]})
    with pytest.raises(ValueError, match="2 probabilities for arm 'zero-shot'; expected 11"):
        write_report(tmp_path, arms[:1], title="x", clips=clips, stories=[wrong])
    assert list(tmp_path.iterdir()) == []


def test_positions_on_the_time_line_are_shares_of_the_duration(clips: dict[str, Clip], arms: list[ArmResult]) -> None:
    line = timeline(make_stories(clips, arms, ["anger-001"])[0])
    clip = clips["anger-001"]
    assert [frame["at"] for frame in line["frames"]] == [12.5, 37.5, 62.5, 87.5]
    assert line["columns"] == "12.5fr 25fr 25fr 25fr 12.5fr"
    (true,), (found,) = line["true_events"], line["found_events"]
    assert clip.onset_s is not None
    assert true["left"] == pytest.approx(100 * clip.onset_s / 4, abs=0.01)
    assert found["left"] == pytest.approx(100 * (clip.onset_s + 0.03) / 4, abs=0.01)
    assert [tick["text"] for tick in line["ticks"]] == ["0", "1", "2", "3", "4"]


def test_gaps_too_narrow_for_words_become_a_list(clips: dict[str, Clip], arms: list[ArmResult]) -> None:
    assert timeline(make_stories(clips, arms, ["anger-001"], keyframes=16)[0])["columns"] is None


def test_a_clip_of_unknown_duration_ends_with_its_last_event() -> None:
    event = Event(1.0, 1.5, 2.5, (), ("12",), 3.0)
    line = timeline(ClipStory(Clip("a", "a.mp4", "fear"), events=[event]))
    assert line["duration_s"] == 2.5
    assert line["true_events"][0]["left"] + line["true_events"][0]["width"] == pytest.approx(100)


@pytest.mark.parametrize("width", [80, 200])
def test_the_terminal_table_holds_every_arm_and_figure(
    arms: list[ArmResult], clips: dict[str, Clip], width: int
) -> None:
    console = Console(width=width, record=True, file=open(Path("/dev/null"), "w"))  # noqa: SIM115
    kinds = {clip.clip_id: clip.kind for clip in clips.values()}
    print_table(arms, differences(arms, kinds, resamples=100), console=console)
    text = console.export_text()
    for arm in arms:
        assert all(word in text for word in arm.name.split())
        assert all(percent(arm.metrics[key]["value"]) in text for key in ("war", "uar", "tail_f1", "macro_accuracy"))
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text or width > 100


def test_names_of_arms_are_neither_markup_nor_formulas(tmp_path: Path) -> None:
    names = ["qwen[r=8]", "lora[/x]", r"$a_b$ \frac", "x_{1}$"]
    rows = tuple(Prediction(f"c{i}", None, LABELS[i % 11], LABELS[i % 7]) for i in range(44))
    table = PredictionTable(LABELS, rows)
    arms = [ArmResult(name, summarise(table, resamples=20), table) for name in names]
    console = Console(width=120, record=True, file=io.StringIO())
    print_table(arms, title="runs[/bold]", console=console)
    said = console.export_text()
    assert all(name in said for name in ("runs[/bold]", *names))
    figures.write_figures(arms, LABELS, tmp_path)
    assert all(name in (tmp_path / "headline.svg").read_text("utf-8") for name in names)


def test_the_collapse_figure_holds_every_ratio() -> None:
    counts = dict(zip(LABELS, [489, 378, 534, 434, 294, 29, 183, 60, 90, 70, 40]))
    rows = [
        Prediction(f"{label}{i}", None, label, LABELS[5] if i % 4 == 0 else label)
        for label, count in counts.items()
        for i in range(count)
    ]
    table = PredictionTable(LABELS, tuple(rows))
    metrics = summarise(table, resamples=20)
    assert metrics["collapse"]["share_ratio"][LABELS[5]] > 15
    axes = figures._collapse([ArmResult("a", metrics, table)], LABELS).axes[0]
    low, high = axes.get_xlim()
    drawn = [float(x) for line in axes.lines for x in line.get_xdata() if line.get_marker() == "o"]
    assert len(drawn) == len(LABELS)
    assert all(low < x < high for x in drawn)
    assert max(axes.get_xticks()) <= high


def test_numbers_are_written_as_in_papers() -> None:
    assert [percent(0.8324), percent(None), percent(1.0)] == ["83.2", "–", "100.0"]
    assert [points(0.312), points(-0.05), points(-0.0001), points(0.0)] == ["+31.2", "−5.0", "0.0", "0.0"]


def open_page(page: Path, state: str, profile: Path) -> tuple[str, str]:
    """The document after its script ran, and what the browser's console said."""
    assert CHROMIUM is not None
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += [f"--user-data-dir={profile}", "--window-size=1400,900", "--virtual-time-budget=2000"]
    command += ["--enable-logging=stderr", "--dump-dom"]
    done = subprocess.run([*command, f"{page.as_uri()}{state}"], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def shown(document: str) -> list[str]:
    articles = re.findall(r"<article ([^>]*)>", document)
    return [re.search('id="clip-([^"]*)"', tag)[1] for tag in articles if not re.search(r"\bhidden\b", tag)]  # type: ignore[index]


needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: the page is not opened")


@needs_browser
def test_in_a_browser_filters_select_clips_and_the_console_stays_silent(
    page: Path, arms: list[ArmResult], clips: dict[str, Clip], tmp_path: Path
) -> None:
    right = [{r.clip_id: r.label == r.predicted for r in arm.table.predictions} for arm in arms]
    document, console = open_page(page, "", tmp_path / "a")
    assert console == ""
    assert shown(document) == IDS
    assert '<form id="filters">' in document
    document, console = open_page(page, "#class=contempt&kind=micro", tmp_path / "b")
    assert console == ""
    assert shown(document) == [n for n in IDS if clips[n].label == "contempt" and clips[n].kind == "micro"] != []
    document, _ = open_page(page, "#arm1=wrong&arm4=right", tmp_path / "c")
    expected = [n for n in IDS if not right[1][n] and right[4][n]]
    assert shown(document) == expected
    assert 0 < len(expected) < len(IDS)
    assert f"{len(expected)} of {len(IDS)} clips" in document


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser_the_page_never_scrolls_sideways_nor_squeezes_names(
    page: Path, tmp_path: Path, width: int
) -> None:
    # A window is at least 500 pixels wide; a frame can be as narrow as a phone.
    probe = """<script>
      const heights = [...document.querySelectorAll(".scroll tbody th")].map((cell) => cell.offsetHeight);
      parent.postMessage([innerWidth, document.documentElement.scrollWidth, Math.max(...heights)], "*");
    </script></body>"""
    (tmp_path / "report.html").write_text(page.read_text("utf-8").replace("</body>", probe), "utf-8")
    listener = "<script>onmessage = (event) => { document.title = event.data.join(' ') }</script>"
    frame = tmp_path / "frame.html"
    frame.write_text(f'{listener}<iframe src="report.html" width="{width}" height="900" frameborder="0"></iframe>')
    document, _ = open_page(frame, "", tmp_path / "profile")
    found = re.search(r"<title>(\d+) (\d+) (\d+)</title>", document)
    assert found is not None
    assert int(found[1]) == width
    assert int(found[2]) <= width
    # A name broken letter by letter makes a row of ten lines; the tallest honest one has four.
    assert int(found[3]) < 130
