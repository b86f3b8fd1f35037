"""A recipe's keys about data: which clips, which labels, which frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from emotrain.context.views import augmentation
from emotrain.datasets.long_tail import check_long_tail
from emotrain.emotions import label_set
from emotrain.faces.settings import FaceSettings
from emotrain.recipe.arguments.keys import check_word, recipe_key
from emotrain.video.frame_settings import FrameSettings

VISION_EMBEDDINGS = ("computed", "stored")
VISION_ATTENTION = ("windows", "sdpa", "eager", "flash_attention_2")


@dataclass
class DataArguments:
    """Which clips, which labels, which frames of each clip."""

    data: str = recipe_key("Folder that the preparation stages write to and training reads from.", default="data")
    dataset: str = recipe_key("Layout of the data set (see data_prep/index_clips.py --help).", default="synthetic")
    root: str | None = recipe_key("Folder of the data set itself; needed by `emotrain prep` only.", default=None)
    media: str | None = recipe_key(
        "Form of the clips to index, such as clip_224x224 (DFEW), or their folder.", default=None
    )
    labels: str | None = recipe_key("Task of dataset: mafw: single or compound.", default=None)
    caption: str | None = recipe_key("Captions of dataset: mafw to keep in the index: en or zh.", default=None)
    annotation: str | None = recipe_key(
        "Annotation of dataset: csv or of a micro-expression set, FILE or FILE#SHEET; null to find it.", default=None
    )
    assume_fps: float | None = recipe_key("Frame rate of frame folders whose annotation names none.", default=None)
    probe: bool = recipe_key("Decode each video while indexing, for its rate and length.", default=False)
    validation_share: float = recipe_key("Part of train that the index keeps for validation.", default=0.1)
    index_seed: int = recipe_key("Seed of the validation part and of assigned folds.", default=0)
    long_tail: float | None = recipe_key(
        "How many times the commonest class outweighs the rarest among training clips, cut out of an even data set; "
        "null for all clips.",
        default=None,
    )
    long_tail_seed: int = recipe_key("Seed of which classes long_tail makes rare, and of what it keeps.", default=0)
    label_set: str = recipe_key(
        "Label set that is trained and scored: mafw, dfew, ..., names with commas, or a .txt or .yaml file of them.",
        default="mafw",
    )
    fold: int | None = recipe_key("Test fold (from 1) of a data set with folds; null for fixed splits.", default=None)
    keyframe_policy: str = recipe_key("How keyframes are chosen.", default="segment_centres")
    keyframes: int = recipe_key("Keyframes a clip.", default=8)
    between: int = recipe_key(
        "In-between frames stored in each gap: 0 where the summariser reads the video, -1 for all of them.", default=0
    )
    frame_size: int = recipe_key("Longer side in pixels that frames are stored with.", default=224)
    frame_quality: int = recipe_key("JPEG quality of the stored frames.", default=95)
    frame_seed: int = recipe_key("Seed of keyframe_policy: stratified.", default=0)
    redraw_keyframes: bool = recipe_key(
        "Training chooses new keyframes at every epoch; needs keyframe_policy: stratified and between: -1.",
        default=False,
    )
    augment: dict[str, Any] = field(
        default_factory=dict,
        metadata={
            "help": "Views of training draws: {mirror: share of draws, crop: largest share cut away, light: how far "
            "brightness goes, phase: true for moving keyframes (needs between: -1), seed}; empty for none."
        },
    )
    crop: str = recipe_key(
        "What of the frames is read: face (found and followed by the faces stage), none (the clips are aligned face "
        "crops already), centre, or box-from-annotation (DATA/boxes.parquet).",
        default="none",
    )
    view: str = recipe_key("What keyframes show with crop: face: face, scene or both.", default="face")
    face: str = recipe_key(
        "Whom a clip is about with crop: face: largest, central, left, right, or a number from the left.",
        default="largest",
    )
    face_detector: str = recipe_key("Face detector of crop: face (docs/faces.md).", default="yunet")
    face_tracks: str | None = recipe_key(
        "File or folder of a face_detector that reads what another program found.", default=None
    )
    face_size: int = recipe_key("Longer side in pixels at which faces are looked for.", default=640)
    decoder: str = recipe_key("auto, pyav, torchcodec, opencv or decord.", default="auto")
    prep_shards: int = recipe_key("Shards a preparation stage is cut into.", default=8)
    vision_embeddings: str = recipe_key(
        "stored: training reads what the frozen vision side makes of the keyframes from disk, where `emotrain prep` "
        "puts it; computed: it computes that at every step.",
        default="computed",
    )
    vision_attention: str | None = recipe_key(
        "How the vision tower attends: windows (all windows of a Qwen tower at once), sdpa, eager or "
        "flash_attention_2; null for windows where the model runs on sdpa, and else as attn_implementation.",
        default=None,
    )
    image_size: int | None = recipe_key(
        "Side in pixels that the model sees; null leaves it to the processor.", default=None
    )

    def __post_init__(self) -> None:
        label_set(self.label_set)
        check_long_tail(self.long_tail, self.long_tail_seed)
        if self.keyframes < 1:
            raise ValueError(f"keyframes: {self.keyframes} is below 1")
        if self.prep_shards < 1:
            raise ValueError(f"prep_shards: {self.prep_shards} is below 1")
        if self.assume_fps is not None and not 0 < self.assume_fps < float("inf"):
            raise ValueError(f"assume_fps: {self.assume_fps} is no frame rate; expected frames a second above 0")
        self.frame_settings()
        self._check_face()
        if self.frame_seed != 0 and self.keyframe_policy != "stratified":
            raise ValueError(f"frame_seed: ignored with keyframe_policy: {self.keyframe_policy}; remove it")
        if self.redraw_keyframes and (self.keyframe_policy != "stratified" or self.between != -1):
            raise ValueError(
                f"redraw_keyframes: needs all frames, found keyframe_policy: {self.keyframe_policy} and between: "
                f"{self.between}; say keyframe_policy: stratified and between: -1"
            )
        check_word("vision_embeddings", self.vision_embeddings, VISION_EMBEDDINGS)
        if self.vision_attention is not None:
            check_word("vision_attention", self.vision_attention, VISION_ATTENTION)
        augmented = augmentation(self.augment)
        if augmented is not None and self.vision_embeddings == "stored":
            raise ValueError("vision_embeddings: stored, but augment shows other pictures at every draw; remove one")
        if augmented is not None and augmented.phase and (self.between != -1 or self.redraw_keyframes):
            raise ValueError(
                f"augment: phase moves keyframes and needs all frames, found between: {self.between} and "
                f"redraw_keyframes: {str(self.redraw_keyframes).lower()}; say between: -1 and redraw_keyframes: false"
            )
        if augmented is not None and self.view == "both" and (augmented.mirror or augmented.crop):
            raise ValueError("augment: mirror and crop would cut pictures of face and scene apart; say view: face")
        if self.vision_embeddings == "stored" and self.redraw_keyframes:
            raise ValueError("vision_embeddings: stored, but redraw_keyframes shows others at every epoch; remove one")
        if self.fold is not None and self.fold < 1:
            raise ValueError(f"fold: {self.fold} is below 1; folds count from 1, null is for fixed splits")

    def _check_face(self) -> None:
        settings = self.face_settings()
        if self.crop != "face" and settings != FaceSettings(decoder=self.decoder):
            raise ValueError(
                "face, face_detector, face_tracks and face_size are of crop: face, found crop: "
                f"{self.crop}; remove them"
            )
        if self.face == "all":
            raise ValueError(
                "face: all reads every person of a video and is for `emotrain predict`; a label is about one person, "
                "so say whom (largest, central, left, right, or a number from the left), or make one clip a person "
                "with `emotrain faces people`"
            )

    def frame_settings(self) -> FrameSettings:
        """What decides which frames are stored and how they look; raises ValueError for a wrong name or range."""
        return FrameSettings(
            policy=self.keyframe_policy,
            keyframes=self.keyframes,
            between=None if self.between == -1 else self.between,
            size=self.frame_size,
            quality=self.frame_quality,
            decoder=self.decoder,
            crop=self.crop,  # type: ignore[arg-type]
            seed=self.frame_seed,
            view=self.view,  # type: ignore[arg-type]
        )

    def face_settings(self) -> FaceSettings:
        """What decides which faces are found; raises ValueError for a wrong name or range."""
        return FaceSettings(self.face_detector, self.face_size, self.face, self.face_tracks, self.decoder)
