"""The input contract that a prediction goes by: what is saved beside the adapter, what the caller says, or both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from typing import Any, get_type_hints

from emotrain.context.prompt import PromptSettings
from emotrain.context.summarize import BACKENDS, reads_video
from emotrain.context.summarizer import Summarizer
from emotrain.emotions import label_set, nearest
from emotrain.examples.input_contract import CONTRACT, InputContract, template_digests
from emotrain.faces.settings import FaceSettings
from emotrain.inference.asked_summaries import AskedSummaries, asked_summaries, changed_since
from emotrain.recipe.arguments import ContextArguments
from emotrain.video.frame_settings import FrameSettings
from emotrain.yaml_files import option_mapping

_FRAME_KEYS = {
    "keyframe_policy": "policy",
    "keyframes": "keyframes",
    "frame_size": "size",
    "crop": "crop",
    "view": "view",
}
_CONTEXT_KEYS = ("context", "summarizer", "summarizer_options")
KEYS = ("label_set", *_FRAME_KEYS, "face", "image_size", *_CONTEXT_KEYS, "tau")
"""What a caller may say about the input, under the names that recipes use."""

NEEDED = ("label_set", "keyframes", "frame_size", "context")
"""What cannot be guessed for an adapter that brings no contract: a wrong value is a wrong answer without an error."""


def settle(found: InputContract | None, given: Mapping[str, Any], *, adapter: str | None) -> InputContract:
    """The contract to predict by: `found` beside the adapter or base, with the values in `given` that are not None.

    Raises ValueError for an adapter without a contract when one of `NEEDED` is not given, for a zero-shot base without
    a label set, and for input that a single video cannot have (annotated onsets).
    """
    said = {key: value for key, value in given.items() if value is not None}
    for key in said:
        if key not in KEYS:
            raise ValueError(f"unknown input setting {key!r}; {nearest(key, KEYS)}")
    if found is None:
        needed = NEEDED if adapter is not None else ("label_set",)
        missing = [key for key in needed if key not in said]
        if missing:
            flags = " ".join(f"--{key.replace('_', '-')}" for key in missing)
            what = (
                f"adapter {adapter}: no {CONTRACT} beside its weights, so"
                if adapter is not None
                else "without an adapter"
            )
            raise ValueError(
                f"{what} nothing says its {', '.join(missing)}; give {flags} (in Python: {missing[0]}=...)"
            )
        # Nobody has trained a bare base on crops: it sees the whole frame, and its words follow the face all the same.
        frames = (
            FrameSettings(between=0) if adapter is not None else FrameSettings(between=0, crop="face", view="scene")
        )
        found = InputContract((), asdict(frames), asdict(ContextArguments()), asdict(PromptSettings()))
    else:
        _check_templates(found)
    return _checked(_with(found, said))


def frame_settings(contract: InputContract) -> FrameSettings:
    """The contract's frame settings; raises ValueError for a setting that this version does not know."""
    return _build(FrameSettings, contract.frames, "frames")


def parse_options(text: str) -> dict[str, Any]:
    """The `summarizer_options` of a command line, a YAML mapping; raises ValueError for anything else."""
    return option_mapping("--summarizer-options", text, "{base_url: http://...}")


def summarizer_of(contract: InputContract) -> Summarizer | AskedSummaries | None:
    """The summariser that made the training summaries, with its settings; None where the prompt has no summaries.

    Raises ValueError when this version's back end would not write the same text, and for texts from a file.
    """
    if contract.summarizer is None:
        return None
    settings = dict(contract.summarizer)
    name = settings.pop("backend")
    if name not in BACKENDS:
        raise ValueError(f"the adapter was trained with summaries of back end {name!r}; {nearest(name, BACKENDS)}")
    if not reads_video(name):
        return asked_summaries(contract, frame_settings(contract).between)
    kind: Any = BACKENDS[name]
    mine = {entry.name for entry in fields(kind) if entry.init}
    built: Summarizer = _build(kind, {key: value for key, value in settings.items() if key in mine}, "summarizer")
    # Which faces or boxes the training clips had is in the fingerprint; another video has its own.
    odd = changed_since({key: value for key, value in settings.items() if key != "boxes_fingerprint"}, built.settings())
    if odd:
        raise ValueError(
            f"the {name} summaries of this version are not those of training ({'; '.join(odd)}); install emotrain "
            f"{contract.emotrain}, or pass summarizer={name!r} to take them as they are"
        )
    return built


def _with(contract: InputContract, said: Mapping[str, Any]) -> InputContract:
    if "label_set" in said:
        labels = label_set(said["label_set"]).labels
        prior = contract.prior if set(labels) == set(contract.labels) else None
        contract = replace(contract, label_set=said["label_set"], labels=labels, prior=prior)
    frames = {**contract.frames, **{_FRAME_KEYS[key]: said[key] for key in _FRAME_KEYS if key in said}}
    if said.get("crop", "face") != "face" and "view" not in said:
        frames = {**frames, "view": "face"}
    contract = replace(contract, frames=frames)
    if "face" in said:
        contract = replace(contract, faces={**contract.faces, "face": str(said["face"])})
    context = {key: said[key] for key in _CONTEXT_KEYS if key in said}
    if context:
        kept = _kept(contract.context, said)
        if "summarizer_options" in said:
            context["summarizer_options"] = {**kept.get("summarizer_options", {}), **said["summarizer_options"]}
        merged = _build(ContextArguments, {**kept, **context}, "context")
        contract = replace(contract, context=asdict(merged), prompt=asdict(merged.prompt_settings()))
    if contract.prompt["context"] == "none":
        contract = replace(contract, summarizer=None)
    elif "summarizer" in said or contract.summarizer is None:
        contract = replace(contract, summarizer={"backend": contract.context["summarizer"]})
    if contract.summarizer is not None and ("crop" in said or len(contract.summarizer) == 1):
        contract = replace(contract, summarizer=_cropped(contract.summarizer, str(frames.get("crop", "none"))))
    return replace(contract, **{key: said[key] for key in ("image_size", "tau") if key in said})


def _kept(context: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """The training's context; another summariser than the training's has options of its own."""
    if said.get("summarizer", context.get("summarizer")) == context.get("summarizer"):
        return dict(context)
    return {key: value for key, value in context.items() if key not in ("summarizer_options", "leakage", "cues")}


def _cropped(summarizer: Mapping[str, Any], crop: str) -> dict[str, Any]:
    """A summariser that decodes the video itself looks at the same part of the frame as the keyframes."""
    kind: Any = BACKENDS.get(summarizer["backend"])
    if not is_dataclass(kind) or "crop" not in {entry.name for entry in fields(kind)}:
        return dict(summarizer)
    return {**{key: value for key, value in summarizer.items() if key != "boxes_fingerprint"}, "crop": crop}


def _checked(contract: InputContract) -> InputContract:
    settings = frame_settings(contract)
    if settings.policy == "onset_apex_offset":
        raise ValueError(
            "keyframe_policy: onset_apex_offset needs annotated times, which a video alone does not have; choose "
            "another with --keyframe-policy, such as segment_centres"
        )
    FaceSettings(contract.faces.get("detector", "yunet"), face=str(contract.faces.get("face", "largest")))
    if _build(ContextArguments, contract.context, "context").controls().needs_donors:
        raise ValueError(
            "the adapter was trained as a control whose summaries come from other clips of its data set; it can be "
            "evaluated there, and not on a single video"
        )
    if contract.tau != 0 and contract.prior is None:
        raise ValueError(
            f"tau: {contract.tau} takes off the prior of training, and {CONTRACT} names none for these labels: "
            "the scores carry none, for drawing or loss were balanced, or the labels are others; leave tau out"
        )
    return contract


def _check_templates(contract: InputContract) -> None:
    now = template_digests(contract.prompt)
    odd = sorted(name for name, digest in contract.templates.items() if now.get(name) != digest)
    if odd:
        raise ValueError(
            f"prompt template {', '.join(odd)} is not the one that the adapter was trained with; install emotrain "
            f"{contract.emotrain}, or put the template back"
        )


def _build(kind: Any, values: Mapping[str, Any], section: str) -> Any:
    """A dataclass from JSON values, nested ones included; raises ValueError for a key that it does not know."""
    hints = get_type_hints(kind)
    unknown = sorted(values.keys() - {entry.name for entry in fields(kind)})
    if unknown:
        raise ValueError(
            f"{CONTRACT}: {section} has {', '.join(unknown)}, unknown here; install the emotrain that wrote it"
        )
    return kind(
        **{
            key: _build(hints[key], value, f"{section}.{key}")
            if isinstance(value, Mapping) and is_dataclass(hints[key])
            else value
            for key, value in values.items()
        }
    )
