"""A video file on its way to the model, in memory: the frames and summarise stages on one clip, without a store.

The stages' own functions do the work; what they would read from a data folder is put into their hands here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from emotrain.clip_errors import ClipError, Damaged
from emotrain.context.carriers import CARRIERS
from emotrain.context.prompt import PromptSettings, keyframes
from emotrain.context.summarize import SummarizeClip
from emotrain.context.summarizer import Summarizer
from emotrain.examples.examples import Examples
from emotrain.examples.input_contract import InputContract
from emotrain.inference.asked_summaries import AskedSummaries
from emotrain.inference.clip_limits import LONGEST_S, check_clip, kept
from emotrain.inference.face_view import FaceState, FaceView, places
from emotrain.inference.input_settings import frame_settings, summarizer_of
from emotrain.recipe.arguments import ContextArguments, DataArguments
from emotrain.records import FRAMES, SUMMARIES, Clip, Frame, Summary, from_table
from emotrain.video.decode import open_clip
from emotrain.video.extract import ExtractClip
from emotrain.video.frame_settings import FrameSettings
from emotrain.video.framing import Fixed, Look


@dataclass(frozen=True, slots=True)
class SeenClip:
    """What is made of one video: its keyframes with their times (and the frames between them, where a model was asked
    about them), the summaries of its gaps, what of it was lost, and the face that it is about."""

    path: str
    duration_s: float
    frames: tuple[Frame, ...]
    summaries: tuple[Summary, ...]
    damage: str | None = None
    face: FaceState | None = None

    @property
    def clip_id(self) -> str:
        """The id that the clip's frames and summaries carry."""
        return self.frames[0].clip_id


class ClipEyes:
    """Looks at videos the way the preparation stages of an adapter's training did."""

    def __init__(self, contract: InputContract) -> None:
        self.contract = contract
        self.settings: FrameSettings = frame_settings(contract)
        self.summarizer: Summarizer | AskedSummaries | None = summarizer_of(contract)
        self.faces = FaceView(contract)
        self.pictures = CARRIERS[str(contract.context.get("carrier", "summaries"))].show is not None
        self.shown_to = self.summarizer.where if isinstance(self.summarizer, AskedSummaries) else None
        if self.shown_to is not None:
            print(f"emotrain: {self.shown_to}", file=sys.stderr, flush=True)

    def see(self, path: Path, clip_id: str | None = None, *, longest_s: float = LONGEST_S) -> SeenClip:
        """Frames and summaries of one video file, or of a folder of frame images (25 frames a second).

        Raises ClipError with the reason when the video cannot be decoded or lasts more than `longest_s` seconds (see
        clip_limits.py), when the face that was asked for is not seen in it, and when a model that writes the summaries
        gives no reply.
        """
        return self.see_people(path, clip_id, longest_s=longest_s)[0]

    def see_people(self, path: Path, clip_id: str | None = None, *, longest_s: float = LONGEST_S) -> list[SeenClip]:
        """The same for each person whom the face setting means: all of them for `all`, from the left, else one."""
        given, path = str(path), path.expanduser().absolute()
        with open_clip(path, self.settings.decoder) as reader:
            check_clip(reader, self.settings, self.summarizer, longest_s, self.contract.image_size)
            duration_s = reader.duration_s
        clip = Clip(path.stem if clip_id is None else clip_id, path.name, "", duration_s=duration_s)
        found = self.faces.find(path, clip)
        assert found.clip.track is not None
        numbers = places(found)
        tracks = sorted(numbers, key=numbers.__getitem__) if self.faces.everybody else [found.clip.track]
        seen = []
        for track in tracks:
            look, read = self.faces.look(found, track)
            person = clip if len(tracks) == 1 else replace(clip, clip_id=f"{clip.clip_id}#{numbers[track]}")
            seen.append(self._see(given, path, person, look, self.faces.state(path, found, track, read)))
        return seen

    def _see(self, given: str, path: Path, clip: Clip, look: Look, face: FaceState) -> SeenClip:
        settings = self.settings if self.pictures else kept(self.settings, self.summarizer)
        made = ExtractClip(path.parent, settings, Fixed(look))(clip)
        rows, damage = (made.rows, made.note) if isinstance(made, Damaged) else (made, None)
        frames = from_table(pa.Table.from_pylist(rows, schema=FRAMES), Frame)
        told, declined = self._told(clip, path, frames, look)
        notes = [note for note in (damage, declined) if note is not None]
        return SeenClip(
            given, clip.duration_s or 0.0, tuple(frames), tuple(told), "; ".join(notes) if notes else None, face
        )

    def _told(self, clip: Clip, path: Path, frames: Sequence[Frame], look: Look) -> tuple[list[Summary], str | None]:
        """The summaries, and what of them is missing."""
        if self.summarizer is None:
            return [], None
        if isinstance(self.summarizer, AskedSummaries):
            try:
                return self.summarizer.tell(clip, HeldFrames(frames))
            except ClipError as error:
                raise ClipError(f"{path}: {error}") from error
        told = SummarizeClip(self.summarizer.looking(Fixed(look)), path.parent, HeldFrames(frames))(clip)
        return from_table(pa.Table.from_pylist(told, schema=SUMMARIES), Summary), None


@dataclass(frozen=True, slots=True)
class HeldFrames:
    """The frames of one clip in memory, where a stage would look into a `FrameStore`."""

    held: Sequence[Frame]

    def frames(self, clip_id: str) -> list[Frame]:
        """All frames, in time order."""
        return list(self.held)

    def keyframes(self, clip_id: str) -> list[Frame]:
        """The keyframes, in time order."""
        return keyframes(self.held)


class SeenExamples(Examples):
    """`Examples` over clips in memory: prompts are laid out by the very code that trains and evaluates."""

    def __init__(self, contract: InputContract, clips: Iterable[SeenClip]) -> None:
        super().__init__(DataArguments(), ContextArguments(**contract.context), contract.labels)
        self.prompt = PromptSettings(**contract.prompt)
        self.seen = {clip.clip_id: clip for clip in clips}

    def keyframes(self, clip_id: str) -> list[Frame]:
        """The keyframes of a clip that was looked at."""
        return keyframes(self.seen[clip_id].frames)

    def frames(self, clip_id: str) -> list[Frame]:
        """All frames of it that were kept."""
        return list(self.seen[clip_id].frames)

    def made_summaries(self, clip_id: str) -> Sequence[Summary]:
        """Its summaries."""
        return self.seen[clip_id].summaries
