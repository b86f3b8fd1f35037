"""What may stand in `emotrain.json`: an input contract is data, so its schema has no server, no key, no path, no text.

The file comes with an adapter, and adapters come from anybody. Each of its values is a number, a flag, a digest, a
label or a word of a short list; the name of the base is the one thing that is ever fetched by it, and only from the
Hub. What asks a server or loads another model is named by whoever predicts. docs/trust.md says of each field what it
can cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from emotrain.context.asking import OBSERVED
from emotrain.context.carriers import CARRIERS
from emotrain.context.controls import CONTROLS, NO_FAULT
from emotrain.context.corruption import FAULTS
from emotrain.context.facs_words import LANGUAGES
from emotrain.context.motion_backend import EVIDENCE
from emotrain.context.option_order import MOST_ORDERS
from emotrain.context.question import MOST_QUESTION, QUESTIONS
from emotrain.context.summarize import BACKENDS
from emotrain.emotions import nearest
from emotrain.faces.detectors import DETECTORS
from emotrain.foreign_values import (
    Table,
    either,
    faults,
    flag,
    listed,
    mapped,
    nothing,
    number,
    optional,
    printable,
    text,
    whole,
    word,
)
from emotrain.motion.grid_motion import GridSettings
from emotrain.motion.spotting import SpotSettings
from emotrain.recipe.arguments.context import CONTEXTS, LEAKAGE, OPTION_ORDERS
from emotrain.video.decode import DECODERS
from emotrain.video.framing import CROPS, VIEWS

DTYPES = ("auto", "float32", "bfloat16", "float16")

HUB_ID = text(r"(?!.*\.\.)[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", "`tiny` or a Hub id, org/name", 193)
REVISION = text(r"(?!.*\.\.)[A-Za-z0-9][\w./-]*", "a commit, branch or tag")

_LABEL = printable(100)
_HEX = text(r"[0-9a-f]+", "a digest in hex", 128)
_VERSION = text(r"[\w.+!-]*", "a version", 60)
_CALLERS_ALONE = nothing("whoever predicts says who is asked and what is read, an adapter does not: remove it")
_SEED = whole(-(2**63), 2**63)
_OWN_QUESTION = text(r".*\{labels\}.*", "a question with {labels} in it", MOST_QUESTION)


def _question(value: object) -> str | None:
    """One of the questions that ship, or a printable line with the place of the options: words for the model alone."""
    found = (kind(value) for kind in (printable(MOST_QUESTION), either(word(*QUESTIONS), _OWN_QUESTION)))
    return next((fault for fault in found if fault is not None), None)


def _quantisation(value: object) -> str | None:
    """8 bits, or 4 with everything that decides how they are rounded."""
    if value == {"bits": 8}:
        return None
    four = isinstance(value, Mapping) and {"bits", "type", "nested"} <= set(value) <= {
        "bits",
        "type",
        "nested",
        "storage",
    }
    found = faults(value, _FOUR_BITS, lambda key: "") if four and isinstance(value, Mapping) else ["other keys"]
    return "how a base is quantised: bits 8, or bits 4 with type and nested" if found else None


_FOUR_BITS: Table = {
    "bits": whole(4, 4),
    "type": word("nf4", "fp4"),
    "nested": flag,
    "storage": word("uint8", *DTYPES[1:]),
}

MOTION: Table = {
    "spotting": {**{entry.name: number(0, 1000) for entry in fields(SpotSettings)}, "most": whole(0, 64)},
    "blinks": flag,
    "crop": word(*CROPS),
    "templates": _HEX,
    "boxes_fingerprint": optional(_HEX),
    "cues_fingerprint": optional(_HEX),
    "evidence": word(*EVIDENCE),
    "landmarker": optional(_HEX),
}
"""What motion measured by. Boxes and cues are known by their digests; the files themselves are nobody else's."""

GRID: Table = {
    "thresholds": {entry.name: number(0, 1000) for entry in fields(GridSettings)},
    "crop": word(*CROPS),
}
"""What grid measured by."""

ASKED: Table = {
    "model": text(r"(?!.*\.\.)[A-Za-z0-9][\w.:@+/-]*", "the name of a model, and no folder"),
    "revision": REVISION,
    "dtype": word(*DTYPES),
    "max_new_tokens": whole(1, 1024),
    "question": _HEX,
    "observe": word(*OBSERVED),
    "texts": _HEX,
    "leakage": word(*LEAKAGE),
    "filter": whole(1, 1000),
    "labels": listed(_LABEL, 0, 1000),
}
"""What was asked in training: compared with what the caller asks, never loaded or sent anywhere by itself."""

SCHEMA: Table = {
    "format": whole(1, 1),
    "emotrain": _VERSION,
    "labels": listed(_LABEL, 2, 1000),
    "label_set": either(text("", "nothing"), printable(10_000)),
    "prior": optional(mapped(_LABEL, number(0, 1), 1000)),
    "tau": number(-100, 100),
    "option_orders": whole(1, MOST_ORDERS),
    "image_size": optional(whole(8, 4096)),
    "base_model": optional(HUB_ID),
    "base_revision": REVISION,
    "dtype": word(*DTYPES),
    "quantisation": optional(_quantisation),
    "templates": mapped(text(r"[a-z][a-z0-9_]*\.[a-z]{2}", "a template and its language"), _HEX, 20),
    "frames": {
        "policy": text(r"[a-z_]+(:[0-9.e-]+)?", "a keyframe policy"),
        "keyframes": whole(1, 256),
        "between": optional(whole(0, 1024)),
        "size": optional(whole(16, 8192)),
        "quality": whole(1, 100),
        "decoder": word(*DECODERS),
        "crop": word(*CROPS),
        "view": word(*VIEWS),
        "seed": _SEED,
    },
    "faces": {
        "detector": word(*DETECTORS),
        "size": whole(160, 4096),
        "face": text(r"[a-z]+|[1-9]\d?", "whom a clip is about"),
        "digest": optional(_HEX),
        "in_place": optional(number(0, 1)),
    },
    "context": {
        "context": word(*CONTEXTS),
        "summarizer": text(rf"(?:{'|'.join(BACKENDS)})(?:-[0-9a-f]+)?", f"one of {', '.join(BACKENDS)}"),
        "summarizer_options": _CALLERS_ALONE,
        "cues": _CALLERS_ALONE,
        "leakage": word(*LEAKAGE),
        "show_images": flag,
        "trajectory": flag,
        "language": word(*LANGUAGES),
        "option_order": word(*OPTION_ORDERS),
        "max_summary_tokens": optional(whole(0, 1_000_000)),
        "context_control": word(*CONTROLS),
        "corrupt_summaries": word(NO_FAULT, *FAULTS),
        "corrupt_share": number(0, 1),
        "summary_dropout": number(0, 1),
        "summary_noise": number(0, 1),
        "context_seed": _SEED,
        "question": _question,
        "carrier": word(*CARRIERS),
    },
    "prompt": {
        "context": word(*CONTEXTS),
        "images": flag,
        "trajectory": flag,
        "show_times": flag,
        "quiet": flag,
        "question": _question,
        "language": word(*LANGUAGES),
    },
}
"""Every field but `summarizer`, whose settings hang on its back end."""

SUMMARIZERS: Mapping[str, Table] = {
    name: {
        "backend": word(name),
        "version": whole(0, 1000),
        "language": word(*LANGUAGES),
        **{"motion": MOTION, "grid": GRID}.get(name, ASKED),
    }
    for name in BACKENDS
}

REQUIRED = ("labels", "frames", "context", "prompt")
"""What no contract is without; any other field has a default."""

CALLERS = frozenset(
    {"base_url", "url", "proxy", "headers", "key_variable", "api_key", "path", "cues", "folder", "file", "device"}
    | {"device_map", "trust_remote_code", "auto_map", "template", "chat_template", "system", "command", "concurrency"}
)
"""What an adapter would have to say to reach beyond itself; the one who predicts says it, or nobody."""


def contract_faults(values: Mapping[str, object]) -> list[str]:
    """Everything in the object of an `emotrain.json` that a contract cannot say, a line each; empty for a sound one."""
    found = [f"{key}: missing" for key in REQUIRED if key not in values]
    found += faults({key: value for key, value in values.items() if key != "summarizer"}, SCHEMA, _unknown)
    summarizer = values.get("summarizer")
    if summarizer is not None:
        name = summarizer.get("backend") if isinstance(summarizer, Mapping) else None
        table = SUMMARIZERS.get(name) if isinstance(name, str) else None
        found += (
            faults(summarizer, table, _unknown, "summarizer")
            if table is not None
            else [f"summarizer: expected a known `backend`, found {name!r:.40}; {nearest(str(name), SUMMARIZERS)}"]
        )
    labels, prior = values.get("labels"), values.get("prior")
    if not found and isinstance(prior, Mapping) and isinstance(labels, (list, tuple)) and set(prior) != set(labels):
        found.append("prior: expected a share for each label and for nothing else")
    return found


def _unknown(key: str) -> str:
    if key in CALLERS:
        return "an adapter names no server, key, path, device or code; whoever predicts says such things"
    return "unknown here; install the emotrain that wrote it"
