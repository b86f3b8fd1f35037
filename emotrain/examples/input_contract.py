"""`emotrain.json` beside an adapter: how a clip must be put to the model so that it sees what it was trained on.

An adapter's weights say nothing about frames, sizes, summaries or labels, and the recipe beside it names folders of the
machine it ran on. This file holds just the values that shape the input, and no path, so it can be published. It is
read by contract_schema.py, whoever reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from typing import Any

from emotrain.atomic_files import write_json
from emotrain.context.motion_backend import MotionSummarizer
from emotrain.context.prompt import TEMPLATES
from emotrain.context.question import question_piece
from emotrain.context.summarize import summaries_folder
from emotrain.context.summarizer import read_settings
from emotrain.emotions import label_set, portable_name
from emotrain.examples.contract_schema import contract_faults
from emotrain.examples.examples import Examples
from emotrain.examples.prepared import frames_settings
from emotrain.examples.summaries import summaries_name
from emotrain.faces.check import read_check
from emotrain.faces.framing import read_faces_header
from emotrain.faces.settings import FaceSettings
from emotrain.foreign_values import read_foreign, told
from emotrain.modeling.quantised import quantisation
from emotrain.recipe.machine_values import portable
from emotrain.recipe.recipe import Recipe
from emotrain.video.frame_settings import FrameSettings

CONTRACT = "emotrain.json"
FORMAT = 1

_OF_THIS_MACHINE = ("summarizer_options", "cues")


@dataclass(frozen=True, slots=True)
class InputContract:
    """Everything that decides what a model sees of a clip, and how its label scores are read.

    `base_model` is a Hub id or "tiny", None for a folder that only the training machine knew. `frames` holds
    `FrameSettings`, `context` the recipe's `ContextArguments`, `prompt` the `PromptSettings`, `summarizer` the back
    end's name and settings (None where the prompt has no summaries). `templates` maps each prompt template to a digest
    of its text. `prior` holds the class shares that the scores carry from training, None where
    there is nothing to take off (see balance/score_prior.py), and `tau` how much of it is taken off the scores at
    prediction time (0: nothing). `option_orders` is as in `EvaluationArguments`. `faces` says how faces were found: the
    detector, the size it looked at, whom a clip is about, the digest of its weights (None where no face was followed),
    and the share of sampled clips that were aligned crops (None where nobody looked). `quantisation` says how the base
    was (see modeling/quantised.py), None where it was not.
    """

    labels: tuple[str, ...]
    frames: Mapping[str, Any]
    context: Mapping[str, Any]
    prompt: Mapping[str, Any]
    label_set: str = ""
    image_size: int | None = None
    summarizer: Mapping[str, Any] | None = None
    base_model: str | None = None
    base_revision: str = "main"
    dtype: str = "auto"
    templates: Mapping[str, str] = field(default_factory=dict)
    prior: Mapping[str, float] | None = None
    tau: float = 0.0
    option_orders: int = 1
    faces: Mapping[str, Any] = field(default_factory=dict)
    quantisation: Mapping[str, Any] | None = None
    emotrain: str = ""
    format: int = FORMAT

    def save(self, folder: Path) -> None:
        """Write `emotrain.json` into an adapter's folder."""
        write_json(asdict(self), folder / CONTRACT)


def input_contract(recipe: Recipe, prior: Mapping[str, float] | None = None) -> InputContract:
    """The contract of a recipe whose data is prepared; `prior` holds the class shares that the scores will carry.

    Raises ValueError when what lies in the data folder does not fit into a contract.
    """
    data = Path(recipe.data.data)
    names = label_set(recipe.data.label_set).labels
    told_between = recipe.context.context != "none"
    name = recipe.model.model_name_or_path
    prompt = asdict(Examples(recipe.data, recipe.context, names).prompt)
    made = InputContract(
        labels=names,
        frames=frames_settings(data),
        # What a summariser asked, and by which files, is among its settings; where it ran is nobody else's.
        context={key: value for key, value in asdict(recipe.context).items() if key not in _OF_THIS_MACHINE},
        prompt=prompt,
        label_set=portable_name(recipe.data.label_set),
        image_size=recipe.data.image_size,
        summarizer=_backend(data, summaries_name(data, recipe.context)) if told_between else None,
        base_model=None if name is None or _is_folder(name) else name,
        base_revision=recipe.model.model_revision,
        dtype=recipe.model.dtype if recipe.model.dtype is not None else "auto",
        templates=template_digests(prompt),
        prior=None if prior is None else dict(prior),
        option_orders=recipe.evaluation.option_orders,
        faces=_faces(recipe),
        quantisation=quantisation(recipe.model),
        emotrain=version("emotrain"),
    )
    faults = contract_faults(asdict(made))
    if faults:
        raise ValueError(
            f"{data}: what the adapter would be published with is no input contract; check the recipe and the folder's "
            f"frames.json and backend.json\n{told(faults)}"
        )
    return made


def read_contract(folder: Path) -> InputContract | None:
    """The contract in an adapter's folder, None where there is none.

    Raises ValueError, with every reason, for a file that a newer version wrote, that is damaged, or that says what an
    adapter has no say in: a server, a key, a path, a device.
    """
    path = folder / CONTRACT
    if not path.is_file():
        return None
    values = read_foreign(path)
    if values.get("format") != FORMAT:
        raise ValueError(
            f"{path}: this is no input contract of format {FORMAT} (format {values.get('format')!r:.40}); install the "
            "emotrain that wrote it"
        )
    faults = contract_faults(values)
    if faults:
        raise ValueError(f"{path}: {len(faults)} fault(s) in the adapter's input contract\n{told(faults)}")
    contract = InputContract(**{**values, "labels": tuple(values["labels"])})
    try:
        _build(contract)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; take the adapter from its publisher again") from error
    return contract


def _build(contract: InputContract) -> None:
    """Raise ValueError for values that are allowed one by one and fit nothing together."""
    FrameSettings(**contract.frames)
    FaceSettings(**{key: value for key, value in contract.faces.items() if key in ("detector", "size", "face")})
    if contract.summarizer is not None and "spotting" in contract.summarizer:
        MotionSummarizer(spotting=contract.summarizer["spotting"])


def _is_folder(name: str) -> bool:
    """Whether a base is named by where it lies on this machine, there or not, and not by its place on the Hub."""
    return name.startswith(".") or Path(name).expanduser().is_absolute() or Path(name).is_dir()


def template_digests(prompt: Mapping[str, Any]) -> dict[str, str]:
    """Sixteen hex digits of the text of each template that such a prompt uses, by name ("emotion.en")."""
    used = [*question_piece(prompt["question"]), "keyframe"]
    used += ["summary"] if prompt["context"] != "none" else []
    used += ["trajectory"] if prompt.get("trajectory") else []
    names = [f"{piece}.{prompt['language']}" for piece in used]
    return {name: blake2b((TEMPLATES / f"{name}.jinja").read_bytes(), digest_size=8).hexdigest() for name in names}


def _backend(data: Path, summarizer: str) -> dict[str, Any]:
    found = read_settings(summaries_folder(data, summarizer))
    # Which keyframes the gaps lie between is said once, under `frames`. A model in a folder was this machine's.
    return dict(portable({key: value for key, value in found.items() if key != "frames"}))


def _faces(recipe: Recipe) -> dict[str, Any]:
    """How the faces of the training clips were found, or where they were without."""
    data, settings = Path(recipe.data.data), recipe.data.face_settings()
    looked = read_check(data)
    return {
        "detector": settings.detector,
        "size": settings.size,
        "face": settings.face,
        "digest": read_faces_header(data)["detector_digest"] if recipe.data.crop == "face" else None,
        "in_place": None if looked is None or recipe.data.crop == "face" else looked.share,
    }
