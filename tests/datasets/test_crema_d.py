"""CREMA-D as its repository lies on disk: names, the crowd's votes on faces, pointers where videos were not fetched."""

import pytest

from emotrain.datasets.clips import read_index
from emotrain.datasets.crema_d import EMOTIONS
from emotrain.datasets.index import index_clips
from emotrain.datasets.reading import LayoutError, UnknownLabel

NAMES = [f"{actor}_DFA_{code}_XX" for actor in range(1001, 1011) for code in EMOTIONS]
HEAD = '"","A","D","F","H","N","S","fileName","numResponses","agreement","emoVote"\n'


def vote_row(number: int, name: str, *counts: int) -> str:
    return f'"{number}",{",".join(map(str, counts))},"{name}",{sum(counts)},0.5,"A"\n'


@pytest.fixture
def crema_d(tmp_path, touch, text):
    touch(*(f"VideoFlash/{name}.flv" for name in NAMES))
    rows = [f'{number},"{name}"' for number, name in enumerate(NAMES, start=1)]
    text("SentenceFilenames.csv", "\n".join(['"Stimulus_Number","Filename"', *rows]) + "\n")
    votes = HEAD
    for number, name in enumerate(NAMES, start=1):
        votes += vote_row(100000 + number, name, 0, 0, 0, 0, 9, 0)
        votes += vote_row(200000 + number, name, 6, 2, 0, 0, 2, 0)
        votes += vote_row(300000 + number, name, 0, 0, 0, 9, 0, 0)
    text("processedResults/tabulatedVotes.csv", votes)
    people = "".join(f"{actor},{actor - 980},Female,Asian,Not Hispanic\n" for actor in range(1001, 1010))
    text("VideoDemographics.csv", f"ActorID,Age,Sex,Race,Ethnicity\n{people}1010,,Male,Unknown,Hispanic\n")
    return tmp_path


def test_clips_have_their_actor_the_emotion_asked_for_and_the_votes_on_the_face_alone(crema_d, tmp_path):
    index_clips("crema_d", crema_d, tmp_path / "out")
    index = read_index(tmp_path / "out")
    assert len(index) == 60
    clip = next(clip for clip in index if clip.clip_id == "1003_DFA_HAP_XX")
    assert (clip.label, clip.subject, clip.path) == ("happiness", "actor 1003", "VideoFlash/1003_DFA_HAP_XX.flv")
    assert clip.votes == {"anger": 0.6, "disgust": 0.2, "neutral": 0.2}
    assert clip.traits == {"age": "23", "sex": "Female", "race": "Asian", "ethnicity": "Not Hispanic"}
    assert "age" not in next(clip for clip in index if clip.subject == "actor 1010").traits
    for fold in range(1, 6):
        tested = {clip.subject for clip in index.select("test", fold)}
        assert len(tested) == 2
        assert not tested & {clip.subject for clip in index.select("train", fold)}


def test_dirt_is_named(crema_d, tmp_path, touch, text):
    (crema_d / "VideoFlash/1001_DFA_ANG_XX.flv").write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:10dc\nsize 265922\n"
    )
    (crema_d / "VideoFlash/1002_DFA_ANG_XX.flv").unlink()
    touch("VideoFlash/1077_XXX_FEA_XX.flv", "VideoFlash/1076_MTI_SAD_XX.flv", "VideoFlash/1078_XXX_FEA_ZZ.mp4")
    with (crema_d / "SentenceFilenames.csv").open("a") as file:
        file.write('61,"1076_MTI_SAD_XX"\n62,"1001_DFA_ANG_XX"\n63,"what is this"\n64,"1078_XXX_FEA_ZZ"\n')
    votes = crema_d / "processedResults/tabulatedVotes.csv"
    votes.write_text(votes.read_text() + vote_row(200062, "1003_DFA_ANG_XX", 0, 0, 0, 0, 0, 0))
    report = index_clips("crema_d", crema_d, tmp_path / "out", max_bad_share=0.1)
    reasons = {row["clip_id"]: row["reason"] for row in report.quarantined}
    assert "run `git lfs pull`" in reasons["1001_DFA_ANG_XX"]
    assert reasons["1002_DFA_ANG_XX"].startswith("missing: ")
    assert "is not ACTOR_SENTENCE_EMOTION_LEVEL" in reasons["what is this"]
    assert report.warnings["left out"] == ["1076_MTI_SAD_XX: its authors say that it shows an error picture"]
    assert "1077_XXX_FEA_XX.flv" in report.warnings["not listed"][0]
    assert report.warnings["duplicate row"] == ["SentenceFilenames.csv: 1001_DFA_ANG_XX is listed twice"]
    assert "'ZZ' is none of LO, MD, HI, XX" in report.warnings["level"][0]
    assert "are no distribution" in report.warnings["soft labels"][0]
    clips = {clip.clip_id: clip for clip in read_index(tmp_path / "out")}
    assert clips["1078_XXX_FEA_ZZ"].path == "VideoFlash/1078_XXX_FEA_ZZ.mp4", "a copy in another format is taken"
    text("SentenceFilenames.csv", '"Stimulus_Number","Filename"\n1,"1001_DFA_JOY_XX"\n')
    with pytest.raises(UnknownLabel, match="'JOY' is no code of CREMA-D"):
        index_clips("crema_d", crema_d, tmp_path / "out")


def test_without_tables_the_files_are_the_clips_and_their_lack_is_said(crema_d, tmp_path):
    (crema_d / "SentenceFilenames.csv").unlink()
    (crema_d / "processedResults/tabulatedVotes.csv").unlink()
    report = index_clips("crema_d", crema_d, tmp_path / "out")
    assert (report.clips, set(report.warnings) >= {"annotation", "soft labels"}) == (60, True)
    assert next(iter(read_index(tmp_path / "out"))).votes is None
    with pytest.raises(LayoutError, match="VideoFlash"):
        index_clips("crema_d", crema_d / "processedResults", tmp_path / "out")
