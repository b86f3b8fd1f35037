"""`emotrain.load(adapter).predict("clip.mp4")`: an adapter on its base, ready to read videos."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, overload

import numpy as np
from scipy.special import softmax

from emotrain.balance.posthoc import adjust
from emotrain.context.prompt import keyframes
from emotrain.emotions import display_names
from emotrain.examples.contract_schema import HUB_ID, REVISION
from emotrain.examples.examples import Collator
from emotrain.examples.input_contract import CONTRACT, InputContract, read_contract
from emotrain.examples.scoring import score_clips
from emotrain.examples.vision_embeddings import Features
from emotrain.inference.clip_input import ClipEyes, SeenClip, SeenExamples
from emotrain.inference.clip_limits import LONGEST_S
from emotrain.inference.input_settings import settle, summarizer_of
from emotrain.inference.promise import Promise, promised
from emotrain.inference.reading import Reading
from emotrain.modeling.adapter_config import CONFIG, read_config
from emotrain.modeling.adapters import adapter_folder
from emotrain.modeling.label_tokens import processor_labels
from emotrain.modeling.loading import TINY, load_model, load_processor, resolve_name
from emotrain.modeling.tiny_base_path import SHIPPED

BATCH = 8


class Recogniser:
    """A model, its processor and the contract that says how clips are put to it; safe to call from several threads."""

    def __init__(
        self,
        model: Any,
        processor: Any,
        contract: InputContract,
        name: str,
        promise: Promise | None = None,
    ) -> None:
        self.model = model
        self.promise = promise
        self.processor = processor
        self.contract = contract
        self.name = name
        self.eyes = ClipEyes(contract)
        language = str(contract.prompt["language"])
        self.labels = processor_labels(processor, contract.labels, display_names(contract.labels, language))

    @property
    def shown_name(self) -> str:
        """The adapter's or base's name for pages: a Hub id as it is, of a folder the last two parts."""
        folder = Path(self.name).expanduser()
        return "/".join(folder.absolute().parts[-2:]) if folder.is_dir() else self.name

    @overload
    def predict(self, clips: str | Path, *, batch_size: int = BATCH, longest_s: float = LONGEST_S) -> Reading: ...

    @overload
    def predict(
        self, clips: list[str] | list[Path], *, batch_size: int = BATCH, longest_s: float = LONGEST_S
    ) -> list[Reading]: ...

    def predict(
        self,
        clips: str | Path | list[str] | list[Path],
        *,
        batch_size: int = BATCH,
        longest_s: float = LONGEST_S,
    ) -> Reading | list[Reading]:
        """Read one video, or several in order, each of at most `longest_s` seconds.

        Raises ClipError, which names the file and the reason, for a bad one.
        """
        if isinstance(clips, (str, Path)):
            return self.read([self.eyes.see(Path(clips), longest_s=longest_s)])[0]
        paths = [Path(clip) for clip in clips]
        readings: list[Reading] = []
        for start in range(0, len(paths), batch_size):
            part = paths[start : start + batch_size]
            unique = len({path.stem for path in part}) == len(part)
            readings += self.read(
                [self.eyes.see(path, None if unique else str(path), longest_s=longest_s) for path in part]
            )
        return readings

    def predict_people(self, clip: str | Path) -> list[Reading]:
        """One reading for each person of a video whom the face setting means; see `ClipEyes.see_people`."""
        return self.read(self.eyes.see_people(Path(clip)))

    def with_face(self, face: str) -> Recogniser:
        """The same model reading another person: largest, central, left, right, all, or a number from the left."""
        contract = replace(self.contract, faces={**self.contract.faces, "face": face})
        return Recogniser(self.model, self.processor, contract, self.name, self.promise)

    def read(self, clips: Sequence[SeenClip], features: Features | None = None) -> list[Reading]:
        """Score clips that were looked at already, in one batch; their ids must differ.

        With `features` their keyframes do not pass the vision side.
        """
        collator = Collator(SeenExamples(self.contract, clips), self.processor, features)
        logits = score_clips(
            self.model,
            [clip.clip_id for clip in clips],
            collator,
            self.labels,
            batch_size=len(clips),
            option_orders=self.contract.option_orders,
        )
        return [self._reading(clip, z) for clip, z in zip(clips, logits, strict=True)]

    def _reading(self, clip: SeenClip, logits: Any) -> Reading:
        names = self.contract.labels
        scores = logits[None]
        if self.contract.tau != 0 and self.contract.prior is not None:
            prior = np.array([max(self.contract.prior[name], 1e-6) for name in names])
            scores = adjust(scores, prior, self.contract.tau)
        shares = softmax(scores[0])
        return Reading(
            path=clip.path,
            label=names[int(np.argmax(shares))],
            probabilities=dict(zip(names, shares.tolist(), strict=True)),
            logits=dict(zip(names, logits.tolist(), strict=True)),
            coverage=None if self.promise is None else self.promise.coverage,
            possible=() if self.promise is None else self.promise.possible(shares, names),
            label_mass=float(np.exp(logits).sum()),
            duration_s=clip.duration_s,
            keyframes=tuple(keyframes(clip.frames)),
            gaps=clip.summaries,
            damage=clip.damage,
            face=clip.face,
        )


def load(
    adapter: str | Path | None,
    *,
    device: str | None = None,
    dtype: str | None = None,
    base_model: str | None = None,
    coverage: float | None = None,
    **given: Any,
) -> Recogniser:
    """Load an adapter on its base model, with everything its training input was made by.

    `adapter` is a folder, a checkpoint folder of a run, or a Hub id, optionally `id@revision`; None is zero-shot with
    `base_model`, which may be a merged folder. `device` defaults to a visible GPU, else the CPU; `dtype` to the
    recipe's. `given` replaces single values of the saved input contract, under their names in recipes (label_set,
    keyframe_policy, keyframes, frame_size, crop, view, face, image_size, context, summarizer, summarizer_options, tau).
    For an adapter trained with summaries by a model, `summarizer_options` says who is asked: model, base_url and
    key_variable for openai, model and device for vlm (the device is this one's unless said). Nothing that came with the
    adapter does, and who is shown frames is said on stderr.

    With `coverage`, a share such as .9, each reading has the set of labels that holds the true one so often.

    Raises FileNotFoundError for an adapter or base that is not there, ValueError when nothing says how its input was
    made, when this version cannot make it, or when a file of the adapter says what an adapter has no say in.
    """
    import torch

    from emotrain.modeling.adapters import load_adapter

    folder = adapter_folder(adapter) if adapter is not None else None
    contract, name, revision = base_and_contract(folder, str(adapter), base_model, given)
    promise = None if coverage is None else promised(coverage, folder, contract)
    if device is not None:
        contract = _describing_on(device, contract)
    summarizer_of(contract)  # what it lacks is said before a model is loaded
    processor = load_processor(name, revision=revision, image_size=contract.image_size)
    model = load_model(
        name,
        dtype if dtype is not None else contract.dtype,
        revision=revision,
        quantization=contract.quantisation if folder is not None else None,
    )
    if folder is not None:
        model = load_adapter(model, folder)
    target = device if device is not None else "cuda" if torch.cuda.is_available() else "cpu"
    if contract.quantisation is None or folder is None:
        model = model.to(target)  # a quantised base stays where it was loaded
    shown = str(adapter) if adapter is not None else name
    return Recogniser(model.eval(), processor, contract, shown, promise)


def _describing_on(device: str, contract: InputContract) -> InputContract:
    """The contract with the model that writes the summaries, if there is one, on `device`, unless it says another."""
    if contract.summarizer is None or contract.summarizer["backend"] != "vlm":
        return contract
    options = dict(contract.context.get("summarizer_options", {}))
    if not {"device", "device_map"} & options.keys():
        options["device"] = device
    return replace(contract, context={**contract.context, "summarizer_options": options})


def base_and_contract(
    folder: Path | None, adapter: str, base_model: str | None, given: dict[str, Any]
) -> tuple[InputContract, str, str]:
    """The contract to go by, and the base model's name and revision."""
    if folder is None:
        if base_model is None:
            raise ValueError("neither an adapter nor a base model was named; give --adapter, or --base for zero-shot")
        return settle(_beside(base_model), given, adapter=None), base_model, "main"
    found = read_contract(folder)
    contract = settle(found, given, adapter=adapter)
    return (contract, *declared_base(folder, contract, base_model))


def declared_base(folder: Path, contract: InputContract | None, base_model: str | None) -> tuple[str, str]:
    """Name and revision of an adapter's base: the caller's, the contract's, or the one in PEFT's own configuration.

    A base that the caller did not name is said on stderr. Raises ValueError for one that only the caller may choose (a
    folder, an address) and where the two files name different ones.
    """
    if base_model is not None:
        return base_model, "main"
    declared = read_config(folder)
    name, revision = declared.get("base_model_name_or_path"), declared.get("revision")
    if contract is not None and contract.base_model is not None:
        chosen, at = _hub_id(contract.base_model, folder / CONTRACT), contract.base_revision
        if name is not None and HUB_ID(name) is None and name != chosen:
            raise ValueError(
                f"{folder}: {CONTRACT} names base model {chosen!r}, {CONFIG} {str(name)!r}; expected one base in both: "
                "take the adapter from its publisher again, or say which with --base"
            )
        return _said(chosen, at, folder)
    if name is None or name == "":
        raise ValueError(f"{folder / CONFIG}: names no base model; give it with --base")
    if name != TINY and Path(name).expanduser().resolve() == SHIPPED.resolve():
        return TINY, "main"
    return _said(_hub_id(str(name), folder / CONFIG), _revision(revision, folder / CONFIG), folder)


def _said(name: str, revision: str, folder: Path) -> tuple[str, str]:
    if name != TINY:
        print(f"emotrain: adapter {folder} names base model {name} (revision {revision})", file=sys.stderr, flush=True)
    return name, revision


def _hub_id(name: str, where: Path) -> str:
    """The name as it is; raises ValueError for a folder or an address, which are for whoever predicts to choose."""
    if HUB_ID(name) is not None or (name != TINY and Path(name).exists()):
        raise ValueError(
            f"{where}: its base model {name!r:.200} is no id on the Hub, or a folder here has that name; an adapter "
            "does not choose what is read on your machine: name the base yourself, --base FOLDER or --base ORG/NAME"
        )
    return name


def _revision(revision: object, where: Path) -> str:
    if revision is None:
        return "main"
    if REVISION(revision) is not None:
        raise ValueError(f"{where}: revision {revision!r:.80} is no commit, branch or tag; give the base with --base")
    return str(revision)


def _beside(base_model: str) -> InputContract | None:
    """The contract in a merged checkpoint's folder."""
    folder = Path(resolve_name(base_model))
    return read_contract(folder) if folder.is_dir() else None
