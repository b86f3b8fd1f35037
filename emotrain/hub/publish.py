"""`emotrain publish`: an adapter's folder in, a checked folder with a card out, then its upload."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from emotrain.atomic_files import replacing_folder
from emotrain.datasets.clips import CLIPS_FILE
from emotrain.evaluation.evaluate import PREDICTIONS
from emotrain.hub.base import Base, declared_base
from emotrain.hub.card import CardSource, write_card
from emotrain.hub.lint import AdapterFaults, lint
from emotrain.hub.private_words import Private, private_words
from emotrain.hub.scores import read_scores
from emotrain.hub.staging import check_own, recipe_values, stage
from emotrain.hub.upload import Uploaded, check_repo_id, upload
from emotrain.json_files import entry, read_object
from emotrain.modeling.adapter_config import CONFIG, read_config
from emotrain.modeling.adapters import RUN_REMEDY, WEIGHTS, check_vouched
from emotrain.training.checkpoints import PROVENANCE


@dataclass(frozen=True, slots=True)
class Publication:
    """What to publish: the adapter's folder, its name on the Hub, and what its card says.

    `scores` and `baselines` are folders that `emotrain evaluate` wrote; `base_model` is the Hub id of a base that lies
    in a folder here; `template` replaces the card's template. `data` is the run's data folder where it is no longer
    where the run had it; `allowed` are words that the check takes for private ones.
    """

    adapter: Path
    repo_id: str
    revision: str | None = None
    scores: Path | None = None
    baselines: Mapping[str, Path] = field(default_factory=dict)
    base_model: str | None = None
    template: Path | None = None
    data: Path | None = None
    allowed: tuple[str, ...] = ()


def write_publication(publication: Publication, out: Path) -> list[str]:
    """Write the folder that would be uploaded; returns what of the adapter's folder is left out of it.

    `out` must be empty or absent. Raises AdapterFaults with every fault at once, ValueError for figures of another
    adapter.
    """
    check_repo_id(publication.repo_id)
    if out.is_dir() and any(out.iterdir()):
        raise ValueError(
            f"{out}: not empty; give a new folder, so that nothing else is taken for a part of the adapter"
        )
    adapter = publication.adapter
    check_own(adapter)
    if (adapter / CONFIG).is_file():
        check_vouched(adapter)
    base = base_of(adapter, publication.base_model)
    scores = None
    if publication.scores is not None:
        scores = read_scores(adapter, publication.scores, publication.baselines)
    elif publication.baselines:
        raise ValueError("--baseline is set beside --scores; pass the adapter's own scores too")
    evaluated = [] if publication.scores is None else [publication.scores, *publication.baselines.values()]
    if out.is_dir():
        out.rmdir()
    with replacing_folder(out) as folder:
        left_out = stage(adapter, base, folder)
        source = CardSource(folder, publication.repo_id, base, publication.revision, _steps(adapter), scores)
        write_card(source, publication.template)
        public = (publication.repo_id, base.name, *publication.allowed)
        faults = lint(folder, base, private_of(adapter, evaluated, public, publication.data))
        if faults:
            raise AdapterFaults(str(adapter), faults)
    return left_out


def publish(publication: Publication, *, public: bool = False, create_pr: bool = False) -> Uploaded:
    """Write the folder, check it, upload it; AdapterFaults comes before anything is sent, HubError from sending."""
    with TemporaryDirectory(prefix="emotrain-publish-") as temporary:
        folder = Path(temporary) / "adapter"
        write_publication(publication, folder)
        steps = _steps(publication.adapter)
        return upload(
            folder,
            publication.repo_id,
            message="Publish adapter" + ("" if steps is None else f" after {steps} steps"),
            revision=publication.revision,
            public=public,
            create_pr=create_pr,
        )


@contextmanager
def as_published(adapter: Path, base_model: str | None = None) -> Iterator[tuple[Path, Base]]:
    """The adapter's files in the form in which they would be published, in a temporary folder, without a card."""
    base = base_of(adapter, base_model)
    with TemporaryDirectory(prefix="emotrain-lint-") as temporary:
        folder = Path(temporary) / "adapter"
        stage(adapter, base, folder)
        yield folder, base


def base_of(adapter: Path, base_model: str | None) -> Base:
    """The base that the published adapter names; ValueError says what to pass where none can be named."""
    if not (adapter / CONFIG).is_file():
        raise FileNotFoundError(f"{adapter}: no {CONFIG} with {WEIGHTS} here; give a training run's output folder")
    provenance = read_object(adapter / PROVENANCE, RUN_REMEDY) if (adapter / PROVENANCE).is_file() else {}
    made_from = provenance.get("made_from")
    commit = made_from.get("base") if isinstance(made_from, dict) else None
    return declared_base(read_config(adapter), recipe_values(adapter), base_model, commit)


def private_of(adapter: Path, evaluated: list[Path], public: tuple[str, ...] = (), data: Path | None = None) -> Private:
    """Names and captions of the run's clips, from `data` or wherever the run had it; says so when they are not there.

    Raises FileNotFoundError for a `data` without clips.
    """
    folder = data if data is not None else _data_of(adapter)
    if folder is None or not (folder / CLIPS_FILE).is_file():
        missing = f"{adapter} names no data folder" if folder is None else f"{folder / CLIPS_FILE} is not there"
        if data is not None:
            raise FileNotFoundError(f"--data {data}: {missing}; give the folder that `emotrain prep` wrote")
        but = ", but for those in the scores" if evaluated else ""
        said = f"clip names not checked{but}: {missing}; pass --data FOLDER, the data folder of the run"
        print(f"emotrain: {said}", file=sys.stderr)
    return private_words([] if folder is None else [folder], [path / PREDICTIONS for path in evaluated], public)


def _data_of(adapter: Path) -> Path | None:
    """The data folder of a run. Its recipe may name it relative to a folder that only the provenance knows."""
    path = adapter / PROVENANCE
    stated = read_object(path, RUN_REMEDY).get("data") if path.is_file() else None
    named = stated if stated is not None else recipe_values(adapter).get("data")
    return Path(named).absolute() if isinstance(named, str) else None


def _steps(adapter: Path) -> int | None:
    path = adapter / "trainer_state.json"
    return entry(read_object(path, RUN_REMEDY), "global_step", int, path, RUN_REMEDY) if path.is_file() else None
