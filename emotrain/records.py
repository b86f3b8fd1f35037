"""The records that travel from stage to stage, and the parquet schema of each.

A record is a frozen dataclass; a stage turns a table of one kind into a table of another. Times are seconds on the
clip's own time line (presentation time stamps), never frame numbers, because clips have variable frame rates.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, TypeVar

import pyarrow as pa

Kind = Literal["macro", "micro"]
Split = Literal["train", "validation", "test"]
Role = Literal["keyframe", "between"]
Why = Literal["unseen", "turned", "small"]

IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""An encoded image, laid out as the `Image` feature of the datasets library expects it."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One video clip of a data set. `path` is relative to the data root; `votes` maps label names to shares.

    `face` says whom of several people the clip is about (see faces/settings.py); None leaves it to the faces stage.
    `traits` are what is known of whom it shows and how it was taken, by name: age, sex, culture.
    """

    clip_id: str
    path: str
    label: str
    labels: tuple[str, ...] = ()
    votes: Mapping[str, float] | None = None
    test_fold: int | None = None
    split: Split | None = None
    subject: str | None = None
    source: str | None = None
    kind: Kind | None = None
    fps: float | None = None
    n_frames: int | None = None
    duration_s: float | None = None
    onset_s: float | None = None
    apex_s: float | None = None
    offset_s: float | None = None
    action_units: tuple[str, ...] = ()
    caption: str | None = None
    face: str | None = None
    traits: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """One kept frame. `image` is an encoded JPEG; `gap` numbers the gap that an in-between frame lies in."""

    clip_id: str
    index: int
    time_s: float
    role: Role
    gap: int | None
    image: bytes


@dataclass(frozen=True, slots=True)
class Gap:
    """The open stretch of time before keyframe `gap` (gap 0 precedes the first keyframe, gap K follows the last)."""

    clip_id: str
    gap: int
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Event:
    """One visible change: when it begins, peaks and ends, where on the face, and which action units it resembles.

    `regions` are names of face regions, `action_units` FACS numbers with an optional L or R ("12", "L14"),
    `strength` the peak residual motion in percent of the inter-ocular distance, `confidence` the probability that it is
    a change of the face; None where nobody measured it.
    """

    onset_s: float
    apex_s: float
    offset_s: float
    regions: tuple[str, ...]
    action_units: tuple[str, ...]
    strength: float
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """Time in which nothing is told of a face, and why: not seen, turned too far aside, or too small."""

    start_s: float
    end_s: float
    why: Why


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened in one gap, in label-free words, with the facts behind them.

    `seen_share` is the share of the gap's time in which the face was seen; None where nobody looked for it.
    """

    clip_id: str
    gap: int
    start_s: float
    end_s: float
    text: str
    changed: bool
    backend: str
    events: tuple[Event, ...] = ()
    seen_share: float | None = None


@dataclass(frozen=True, slots=True)
class Draw:
    """One row of a sampling manifest: at this position of this epoch the trainer sees this clip."""

    epoch: int
    position: int
    clip_id: str
    label: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """A scored clip. `logits[c]` belongs to the c-th label named in the table's `labels` metadata."""

    clip_id: str
    fold: int | None
    label: str
    predicted: str
    logits: tuple[float, ...] = field(default=())
    arm: str = ""
    seed: int = 0


_text, _int, _float = pa.string(), pa.int32(), pa.float64()

CLIPS = pa.schema(
    [
        pa.field("clip_id", _text, nullable=False),
        pa.field("path", _text, nullable=False),
        pa.field("label", _text, nullable=False),
        ("labels", pa.list_(_text)),
        ("votes", pa.list_(pa.struct([("label", _text), ("share", _float)]))),
        ("test_fold", _int),
        ("split", _text),
        ("subject", _text),
        ("source", _text),
        ("kind", _text),
        ("fps", _float),
        ("n_frames", _int),
        ("duration_s", _float),
        ("onset_s", _float),
        ("apex_s", _float),
        ("offset_s", _float),
        ("action_units", pa.list_(_text)),
        ("caption", _text),
        ("face", _text),
        ("traits", pa.list_(pa.struct([("name", _text), ("value", _text)]))),
    ]
)
FRAMES = pa.schema(
    [("clip_id", _text), ("index", _int), ("time_s", _float), ("role", _text), ("gap", _int), ("image", IMAGE)]
)
EVENT = pa.struct(
    [
        ("onset_s", _float),
        ("apex_s", _float),
        ("offset_s", _float),
        ("regions", pa.list_(_text)),
        ("action_units", pa.list_(_text)),
        ("strength", _float),
        ("confidence", _float),
    ]
)
SUMMARIES = pa.schema(
    [
        ("clip_id", _text),
        ("gap", _int),
        ("start_s", _float),
        ("end_s", _float),
        ("text", _text),
        ("changed", pa.bool_()),
        ("backend", _text),
        ("events", pa.list_(EVENT)),
        ("seen_share", _float),
    ]
)
DRAWS = pa.schema([("epoch", _int), ("position", _int), ("clip_id", _text), ("label", _text), ("weight", _float)])
PREDICTIONS = pa.schema(
    [
        ("clip_id", _text),
        ("fold", _int),
        ("label", _text),
        ("predicted", _text),
        ("logits", pa.list_(_float)),
        ("arm", _text),
        ("seed", _int),
    ]
)

SCHEMAS: dict[type, pa.Schema] = {
    Clip: CLIPS,
    Frame: FRAMES,
    Summary: SUMMARIES,
    Draw: DRAWS,
    Prediction: PREDICTIONS,
}

Record = TypeVar("Record", Clip, Frame, Summary, Draw, Prediction)


def to_table(records: Iterable[Record], kind: type[Record], metadata: Mapping[str, str] | None = None) -> pa.Table:
    """Lay records out as a table of their schema, with `metadata` in the table's key-value section."""
    rows = [_row(record) for record in records]
    return pa.Table.from_pylist(rows, schema=SCHEMAS[kind]).replace_schema_metadata(dict(metadata or {}) or None)


def from_table(table: pa.Table, kind: type[Record]) -> list[Record]:
    """Read a table back into records; columns that the record does not know are left out."""
    names = [f.name for f in fields(kind)]
    return [_record(kind, row) for row in table.select([n for n in names if n in table.column_names]).to_pylist()]


def _row(record: Any) -> dict[str, Any]:
    row = {f.name: getattr(record, f.name) for f in fields(record)}
    if isinstance(record, Clip) and record.votes is not None:
        row["votes"] = [{"label": name, "share": share} for name, share in record.votes.items()]
    if isinstance(record, Clip) and record.traits is not None:
        row["traits"] = [{"name": name, "value": value} for name, value in record.traits.items()]
    if isinstance(record, Frame):
        row["image"] = {"bytes": record.image, "path": None}
    if isinstance(record, Summary):
        row["events"] = [_row(event) for event in record.events]
    return row


def _record(kind: type[Record], row: dict[str, Any]) -> Record:
    values = _tuples(row)
    for name in ("labels", "action_units"):
        if name in values and values[name] is None:
            values[name] = ()
    if values.get("votes") is not None:
        values["votes"] = {vote["label"]: vote["share"] for vote in values["votes"]}
    if values.get("traits") is not None:
        values["traits"] = {trait["name"]: trait["value"] for trait in values["traits"]}
    if kind is Frame:
        values["image"] = row["image"]["bytes"]
    if kind is Summary:
        values["events"] = tuple(Event(**_tuples(event)) for event in row["events"] or ())
    return kind(**values)


def _tuples(row: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
