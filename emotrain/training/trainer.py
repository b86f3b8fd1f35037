"""The trainer: the loss on label scores and the manifest as the data order, for a VLM on top of TRL's SFTTrainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils.data import SequentialSampler
from transformers import PrinterCallback, ProgressCallback, Trainer, TrainerControl
from trl import SFTTrainer

from emotrain.balance.losses import BuiltLoss, LossTerms, as_shares
from emotrain.job_notes import doing
from emotrain.modeling.label_scoring import label_logits, label_mass
from emotrain.modeling.label_tokens import LabelTokens
from emotrain.training.world import float32_masters, local_part, reduce_in_float32

Validate = Callable[[Any], Mapping[str, float]]

_FINE = -1.0
_REMEDY = (
    "nothing after the last checkpoint was saved. Lower learning_rate, raise warmup_steps, or train in bfloat16 or "
    "float32 instead of float16, in another output_dir"
)


class ManifestTrainer(Trainer):
    """Trains on label `scores`; walks the manifest front to back, so resuming is skipping a number of rows.

    A target is a label or the shares of its annotators' votes. `label_accuracy` is the share that the targets give to
    the label with the best score: of labels the usual accuracy, of votes the part of the annotators that agree.

    `train_dataset` holds the draws of *all* epochs in order and is passed over once. There is no epoch to reseed, hence
    nothing that a resumed run on many processes could replay.

    The loss of a step is a weighted mean over all its micro-batches and ranks: eight batches of one and one batch of
    eight give the same gradient.

    A loss or weight that is not finite raises FloatingPointError on all ranks before anything is logged or saved, so a
    checkpoint on disk is always one to go on from. Between two logs the device is not asked for anything, as long as
    the model's family lets it be (the Qwen families: a test counts).
    """

    loss_is_scaled_for_ga = True  # read by transformers: compute_loss already divides by the whole step's weight

    def __init__(
        self,
        *,
        labels: LabelTokens,
        label_loss: BuiltLoss,
        objective: str = "labels",
        validate: Validate | None = None,
        **kwargs: Any,
    ) -> None:
        args = kwargs["args"]
        # Pinned batches travel while the device works.
        args.accelerator_config.non_blocking = bool(args.dataloader_pin_memory and not args.use_cpu)
        super().__init__(**kwargs)
        # The filter would log the mean of earlier losses in place of a NaN, and ask the device in every micro-batch.
        self.args.logging_nan_inf_filter = False
        for printer in (PrinterCallback, ProgressCallback):  # the live line tells more
            self.remove_callback(printer)
        self.labels = labels
        self.label_loss = label_loss
        self.objective = objective
        self.validate = validate
        device = self.accelerator.device
        self._tokens_a_label = torch.tensor([float(len(ids)) for ids in labels.tokens], device=device)
        # Since the last log: sums of label masses and of shares that were hit, clips; and the first step whose loss was
        # not finite.
        self._seen = torch.zeros(3, device=device)
        self._bad_step = torch.full((), _FINE, device=device)
        self._masters: dict[str, torch.Tensor] = {}
        reduce_in_float32(self.accelerator)

    def scores(self, model: Any, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Log-likelihood of every label for every clip of the batch: (B, C) float32, differentiable."""
        raise NotImplementedError

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

    def _get_num_items_in_batch(self, batch_samples: Sequence[Mapping[str, Any]], device: Any) -> torch.Tensor:
        """Sum of sample weights over the micro-batches of this step and over all ranks."""
        total = torch.zeros((), device=device)
        for batch in batch_samples:
            total = total + (self._weights(batch["target"]) * batch["weight"]).sum().to(device)
        return self.accelerator.gather(total.reshape(1)).sum()

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: torch.Tensor | None = None
    ) -> Any:
        inputs = dict(inputs)
        target, drawn = inputs.pop("target"), inputs.pop("weight")
        logits = self.scores(model, inputs)
        terms = self._terms(logits, target)
        weight = terms.weight * drawn
        total = weight.sum() if num_items_in_batch is None else num_items_in_batch
        # Data parallelism averages gradients over ranks, while `total` sums over them.
        ranks = 1 if num_items_in_batch is None else self.accelerator.num_processes
        loss = (terms.per_sample * weight).sum() / total * ranks
        self._note(logits.detach(), target, loss.detach())
        return (loss, {"logits": logits}) if return_outputs else loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score the validation clips by label scoring; the figures may choose the best checkpoint."""
        if self.validate is None:
            raise ValueError("eval_strategy asks for evaluation, but the data set has no validation part")
        doing(f"evaluating after step {self.state.global_step}")
        metrics = {f"eval_{name}": value for name, value in self.validate(self.model).items()}
        doing("training")
        self.log(metrics)
        control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.control: TrainerControl = control
        return metrics

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add label mass and accuracy of the clips since the last log; stop the run when something is not finite."""
        if "loss" in logs or "train_loss" in logs:
            logs |= self._told()
        if "train_loss" in logs:
            self._stop_unless_weights_are_finite()
        super().log(logs, start_time)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Left to `emotrain publish`, which writes a card with figures."""

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save the weights; float32 ones whatever strategy trained them."""
        self._masters = float32_masters(self.model) if self.is_deepspeed_enabled else {}
        super().save_model(output_dir, _internal_call)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, torch.Tensor] | None = None) -> None:
        if state_dict is not None:
            state_dict = {name: self._masters.get(name, value) for name, value in state_dict.items()}
        super()._save(output_dir, state_dict=state_dict)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        self._stop_at_bad_step(self._bad_steps())
        self._stop_unless_weights_are_finite()
        super()._save_checkpoint(model, trial)

    def _terms(self, logits: torch.Tensor, target: torch.Tensor) -> LossTerms:
        if self.objective != "tokens":
            return self.label_loss(logits, target, self._progress)
        # Ordinary answer-token fine-tuning: the mean over tokens, so a label weighs as much as it has tokens.
        length = self._weights(target)
        nll = -logits.gather(1, target.unsqueeze(1)).squeeze(1)
        return LossTerms(nll / length, length, -label_mass(logits).detach())

    def _weights(self, target: torch.Tensor) -> torch.Tensor:
        if self.objective != "tokens":
            return self.label_loss.weights(target, self._progress)
        return self._tokens_a_label.to(target.device)[target]

    @property
    def _progress(self) -> float:
        return float(self.state.global_step / max(self.state.max_steps, 1))

    @torch.no_grad()
    def _note(self, logits: torch.Tensor, target: torch.Tensor, loss: torch.Tensor) -> None:
        hits = as_shares(target, logits).gather(1, logits.argmax(-1, keepdim=True)).sum()
        self._seen += torch.stack([label_mass(logits).exp().sum(), hits, hits.new_full((), len(target))])
        bad = ~(torch.isfinite(logits).all() & torch.isfinite(loss)) & (self._bad_step == _FINE)
        self._bad_step.masked_fill_(bad, float(self.state.global_step + 1))

    def _told(self) -> dict[str, float]:
        every = self._bad_steps(self._seen)
        self._stop_at_bad_step(every)
        self._seen.zero_()
        mass, hits, clips = every[:, 1:].sum(0).tolist()
        return {"label_mass": mass / clips, "label_accuracy": hits / clips} if clips else {}

    def _bad_steps(self, *more: torch.Tensor) -> torch.Tensor:
        """One row a rank, on the host: the first bad step or _FINE, then whatever `more` holds."""
        own = torch.cat([self._bad_step.reshape(1), *more]).reshape(1, -1)
        return self.accelerator.gather(own).cpu()

    def _stop_at_bad_step(self, every: torch.Tensor) -> None:
        steps = [int(step) for step in every[:, 0].tolist() if step != _FINE]
        if steps:
            raise FloatingPointError(f"the loss of step {min(steps)} is not finite; {_REMEDY}")

    def _stop_unless_weights_are_finite(self) -> None:
        parts = [local_part(p.detach()) for p in self.model.parameters() if p.requires_grad]
        bad = [~torch.isfinite(part).all() for part in parts if part.numel()]
        found = torch.stack(bad).any() if bad else torch.zeros((), dtype=torch.bool)
        if self.accelerator.gather(found.reshape(1).to(self.accelerator.device)).any():
            raise FloatingPointError(f"weights at step {self.state.global_step} are not finite; {_REMEDY}")


class LabelTrainer(ManifestTrainer, SFTTrainer):
    """The trainer of a VLM: a label's score is its log-likelihood as the answer to the prompt."""

    def scores(self, model: Any, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """`label_logits` of the batch."""
        return label_logits(model, inputs, self.labels)
