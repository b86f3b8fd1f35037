"""Publishing while training runs: TRL's `push_to_hub` keys, without what the trainer itself would upload.

transformers would send the whole output folder: pickled training arguments, trainer state, the recipe with its paths,
and with `hub_strategy: checkpoint` the optimizer. Here every upload is what `emotrain publish` sends, checked first.

    push_to_hub: true
    hub_model_id: org/name
    hub_strategy: every_save

`end` publishes the final adapter. `every_save` publishes each checkpoint to main as well, and only the best so far
where `metric_for_best_model` says what is better. `all_checkpoints` also keeps each on a branch checkpoint-<step>.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from emotrain.hub.base import declared_base
from emotrain.hub.publish import Publication, publish
from emotrain.hub.upload import check_repo_id, open_repository
from emotrain.hub_errors import HubError
from emotrain.job_notes import doing
from emotrain.recipe.recipe import Recipe


def checkpoint_publisher(recipe: Recipe) -> PublishCheckpoints | None:
    """The callback that a recipe with `push_to_hub: true` asks for, else None.

    Raises ValueError, before any model is loaded, for keys that cannot be followed.
    """
    if not recipe.values.get("push_to_hub"):
        return None
    sft = recipe.sft
    if sft.hub_model_id is None:
        raise ValueError("push_to_hub: name the repository too, hub_model_id: org/name")
    check_repo_id(sft.hub_model_id)
    if sft.hub_strategy.value == "checkpoint":
        raise ValueError(
            "hub_strategy: checkpoint would upload optimizer state, and a run goes on from its own folder; use "
            "every_save, all_checkpoints or end"
        )
    declared_base({}, recipe.values, None)
    return PublishCheckpoints(
        sft.hub_model_id, str(sft.hub_strategy.value), sft.hub_revision, public=sft.hub_private_repo is False
    )


class PublishCheckpoints(TrainerCallback):
    """Publishes checkpoints from the main process. A failed upload in the middle is said and does not end the run."""

    def __init__(self, repo_id: str, strategy: str, revision: str | None, *, public: bool) -> None:
        self.repo_id = repo_id
        self.strategy = strategy
        self.revision = revision
        self.public = public

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if not state.is_world_process_zero:
            return
        try:
            open_repository(self.repo_id, revision=self.revision, public=self.public)
        except HubError as error:
            # A token that may not write is found out now, not after a night; a run that goes on has had its token.
            if state.global_step == 0:
                raise
            print(f"emotrain: checkpoints may not be published: {error}", file=sys.stderr)

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if not state.is_world_process_zero or self.strategy == "end":
            return
        checkpoint = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        revisions: list[str | None] = [checkpoint.name] if self.strategy == "all_checkpoints" else []
        best = state.best_model_checkpoint
        if best is None or Path(best).name == checkpoint.name:
            revisions.append(self.revision)
        for revision in revisions:
            try:
                doing(f"publishing {checkpoint.name}")
                publish(Publication(checkpoint, self.repo_id, revision), public=self.public)
            except (ValueError, OSError) as error:  # HubError and AdapterFaults, a full disk, a base out of reach
                print(f"emotrain: {checkpoint.name} was not published: {error}", file=sys.stderr)
        doing("training")

    def publish_final(self, adapter: Path) -> None:
        """Publish the finished run's adapter from the first process; here a failure is an error."""
        if int(os.environ.get("RANK", "0")) == 0:
            doing("publishing the adapter")
            uploaded = publish(Publication(adapter, self.repo_id, self.revision), public=self.public)
            print(f"published {uploaded.url}")
