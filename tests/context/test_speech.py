"""What is said becomes timed lines between keyframes: read from subtitles, masked and counted as all words are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emotrain.context.controls import Controls, controlled
from emotrain.context.speech import cues, read_speech
from emotrain.context.summarize import load_summaries, summarize_clips
from emotrain.records import Summary

SRT = "1\n00:00:00,200 --> 00:00:00,600\n<i>Leave</i> me\nalone.\n\n2\n00:00:01,100 --> 00:00:01,500\nI'm so angry!\n"
VTT = 'WEBVTT\n\nNOTE a note\n\n00:02.100 --> 00:02.400 align:start\n&amp; "go"\n\n00:09.000 --> 00:09.500\nToo late.\n'


def test_subtitles_stand_in_the_gap_of_their_middle_and_emotion_words_are_masked_and_counted(
    data: Path, tmp_path: Path
) -> None:
    subtitles = tmp_path / "subtitles"
    subtitles.mkdir()
    (subtitles / "clip0.srt").write_text(SRT, encoding="utf-8")
    (subtitles / "clip1.vtt").write_text(VTT, encoding="utf-8")
    report = summarize_clips(data, "speech", path=subtitles, shards=2)
    assert not report.quarantined
    found = load_summaries(data, "speech")
    assert [gap.text for gap in found["clip0"]] == [
        '0.20-0.60 s, said: "Leave me alone."',
        '1.10-1.50 s, said: "I\'m so [...]!"',
        "",
    ]
    # The last line begins after the clip's end.
    assert [gap.text for gap in found["clip1"]] == ["", "", "2.10-2.40 s, said: \"& 'go'\""]
    assert not any(gap.changed for gap in found["clip2"])
    (folder,) = (data / "summaries").iterdir()
    leaks = [
        json.loads(line) for file in (folder / "leaks").glob("*.jsonl") for line in file.read_text("utf-8").splitlines()
    ]
    assert [(leak["clip_id"], leak["gap"]) for leak in leaks] == [("clip0", 1)]

    # Other subtitles are other words, in a folder of their own.
    (subtitles / "clip2.srt").write_text(SRT, encoding="utf-8")
    summarize_clips(data, "speech", path=subtitles, shards=2)
    assert len(list((data / "summaries").iterdir())) == 2


def test_controls_hold_for_what_is_said() -> None:
    said = [Summary("a", k, float(k), k + 1.0, f'{k}.20-{k}.40 s, said: "x{k}"', True, "speech") for k in range(3)]

    def told(**control: object) -> list[str]:
        controls = Controls(**control)  # type: ignore[arg-type]
        made = controlled("a", lambda _: said, controls, donors=None, count_tokens=lambda text: len(text.split()))
        return [gap.text for gap in made]

    assert told(control="reversed") == [gap.text for gap in said][::-1]
    assert "x" not in "".join(told(control="static"))
    assert told(corrupt="drop", corrupt_share=1.0) == ["", "", ""]


def test_a_table_says_the_same_as_subtitles(tmp_path: Path) -> None:
    table = tmp_path / "said.csv"
    table.write_text("clip_id,start_s,end_s,text\nb,1.1,1.5,Second.\nb,0.2,0.6,First.\n", encoding="utf-8")
    (one, two) = read_speech(table).by_clip["b"]
    assert (one.text, two.text) == ('0.20-0.60 s, said: "First."', '1.10-1.50 s, said: "Second."')


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "clip_id,start_s,end_s,text\nb,x,1,Hm.\n", "row 2: no number in start_s"),
        ("a.csv", "clip_id,start_s,text\nb,1,Hm.\n", "no end_s"),
        ("a.csv", "clip_id,start_s,end_s,text\nb,2,1,Hm.\n", "line 2: ends at 1.00 s, before 2.00"),
        ("s/b.srt", "1\n0:00:1,0 -> x\n00:00,5 --> y\n", "b.srt: line 3: '00:00,5 --> y' is no time"),
    ],
)
def test_lines_that_cannot_be_read_are_named(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / "s").mkdir()
    with pytest.raises(FileNotFoundError, match="no subtitles"):
        read_speech(tmp_path / "s")
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read_speech(tmp_path / name.split("/")[0])


def test_an_hour_and_a_byte_order_mark_are_read() -> None:
    assert list(cues("\ufeff1\r\n01:00:01,500 --> 01:00:02,000\r\nLate.\r\n")) == [(2, 3601.5, 3602.0, "Late.")]
