"""RAVDESS in its official layout: names are the annotation, and one take lies there twice."""

import pytest

from emotrain.datasets.clips import read_index
from emotrain.datasets.index import index_clips
from emotrain.datasets.reading import LayoutError, UnknownLabel

SUNG = ("01", "02", "03", "04", "05", "06")


def names(actor: int) -> list[str]:
    """Every official name of an actor's videos: 60 spoken and 44 sung takes, each with and without sound."""
    found = []
    for channel, emotions in (("01", [f"0{e}" for e in range(1, 9)]), ("02", SUNG)):
        for emotion in emotions:
            for intensity in ("01",) if emotion == "01" else ("01", "02"):
                for statement in ("01", "02"):
                    for repetition in ("01", "02"):
                        take = f"{channel}-{emotion}-{intensity}-{statement}-{repetition}-{actor:02d}"
                        found += [f"01-{take}.mp4", f"02-{take}.mp4"]
    return found


@pytest.fixture
def ravdess(tmp_path, touch):
    for actor in range(1, 6):
        touch(*(f"Actor_{actor:02d}/{name}" for name in names(actor)))
    return tmp_path


def test_every_take_is_a_clip_once_with_its_actor_and_no_actor_is_in_two_folds(ravdess, tmp_path):
    report = index_clips("ravdess", ravdess, tmp_path / "out")
    index = read_index(tmp_path / "out")
    assert len(index) == 5 * 104
    assert not report.quarantined
    clips = {clip.clip_id: clip for clip in index}
    clip = clips["01-06-01-02-01-03"]
    assert (clip.label, clip.path, clip.subject) == ("fear", "Actor_03/01-01-06-01-02-01-03.mp4", "actor 03")
    assert (clip.traits, clips["01-06-01-02-01-04"].traits) == ({"sex": "male"}, {"sex": "female"})
    assert clips["02-02-02-01-01-05"].label == "calm"
    assert report.counts["neutral"]["all"] == 5 * 8
    for fold in range(1, 6):
        tested = {clip.subject for clip in index.select("test", fold)}
        assert len(tested) == 1
        assert not tested & {clip.subject for clip in index.select("train", fold)}
    assert any("calm: 80 annotated clips, 376 published" in message for message in report.warnings["counts"])


def test_speech_alone_and_archives_unpacked_side_by_side(tmp_path, touch):
    for actor in (1, 2):
        touch(*(f"Video_Speech_Actor_{actor:02d}/Actor_{actor:02d}/{n}" for n in names(actor) if n[3:5] == "01"))
        touch(*(f"Video_Song_Actor_{actor:02d}/Actor_{actor:02d}/{n}" for n in names(actor) if n[3:5] == "02"))
    report = index_clips("ravdess", tmp_path, tmp_path / "out", media="speech")
    assert (report.clips, "counts" in report.warnings) == (120, False)
    assert {clip.path.split("/")[0][:12] for clip in read_index(tmp_path / "out")} == {"Video_Speech"}
    with pytest.raises(LayoutError, match="RAVDESS has speech, song"):
        index_clips("ravdess", tmp_path, tmp_path / "out", media="both")


def test_dirt_is_named(ravdess, tmp_path, touch):
    for gone in ravdess.glob("Actor_01/01-01-02-*"):
        gone.unlink()
    touch("Actor_02/notes.mp4", "Actor_02/._01-01-01-01-01-01-02.mp4", "Actor_02/03-01-01-01-01-01-02.wav")
    touch("Actor_03/01-01-01-02-01-01-03.mp4", "Actor_04/01-01-03-01-01-01-05.mp4")
    (ravdess / "Actor_02/01-01-04-01-01-01-02.mp4").write_text("version https://git-lfs.github.com/spec/v1\n")
    (ravdess / "Actor_02/01-01-05-01-01-01-02.mp4").write_text("<!DOCTYPE html><title>Sign in</title>")
    report = index_clips("ravdess", ravdess, tmp_path / "out", max_bad_share=0.1)
    clips = {clip.clip_id: clip for clip in read_index(tmp_path / "out")}
    assert clips["01-02-01-01-01-01"].path == "Actor_01/02-01-02-01-01-01-01.mp4", "the copy without sound stands in"
    assert report.warnings["not a clip"] == ["Actor_02/notes.mp4: the name is not seven two-digit numbers joined by -"]
    assert "neutral with strong intensity" in report.warnings["intensity"][0]
    assert "actor 05 by its name" in report.warnings["actor and folder"][0]
    reasons = {row["path"]: row["reason"] for row in report.quarantined}
    assert "Git LFS pointer" in reasons["Actor_02/01-01-04-01-01-01-02.mp4"]
    assert "web page" in reasons["Actor_02/01-01-05-01-01-01-02.mp4"]
    assert "the same take twice" in reasons["Actor_05/01-01-03-01-01-01-05.mp4"]
    touch("Actor_05/01-01-09-01-01-01-05.mp4")
    with pytest.raises(UnknownLabel, match=r"Actor_05/01-01-09.*'09' is no code of RAVDESS"):
        index_clips("ravdess", ravdess, tmp_path / "out")


def test_another_folder_says_what_was_expected(tmp_path, touch):
    touch("videos/01-01-01-01-01-01-01.mp4")
    with pytest.raises(LayoutError, match="folders of the actors"):
        index_clips("ravdess", tmp_path, tmp_path / "out")
