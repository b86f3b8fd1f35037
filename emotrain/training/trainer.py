"""The trainer: TRL's SFTTrainer with the loss on label scores and the manifest as the data order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch.utils.data import SequentialSampler
from transformers import TrainerControl
from trl import SFTTrainer

from emotrain.balance.losses import BuiltLoss, LossTerms
from emotrain.modeling.label_scoring import label_logits, label_mass
from emotrain.modeling.label_tokens import LabelTokens

Validate = Callable[[Any], Mapping[str, float]]


class LabelTrainer(SFTTrainer):
    """Trains on `label_logits`; walks the manifest front to back, so resuming is skipping a number of rows.

    `train_dataset` holds the draws of *all* epochs in order and is passed over once. There is no epoch to reseed, hence
    nothing that a resumed run on many processes could replay.

    The loss of a step is a weighted mean over all its micro-batches and ranks: eight batches of one and one batch of
    eight give the same gradient.
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
        super().__init__(**kwargs)
        self.labels = labels
        self.label_loss = label_loss
        self.objective = objective
        self.validate = validate

    def _get_train_sampler(self, train_dataset: Any = None) -> SequentialSampler:
        return SequentialSampler(self.train_dataset if train_dataset is None else train_dataset)

    def _get_num_items_in_batch(self, batch_samples: Sequence[Mapping[str, Any]], device: Any) -> torch.Tensor:
        """Sum of sample weights over the micro-batches of this step and over all ranks."""
        total = sum((self._weights(batch).sum() for batch in batch_samples), torch.zeros(())).to(device)
        return self.accelerator.gather(total.reshape(1)).sum()

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: torch.Tensor | None = None
    ) -> Any:
        inputs = dict(inputs)
        target, drawn = inputs.pop("target"), inputs.pop("weight")
        logits = label_logits(model, inputs, self.labels)
        if not torch.isfinite(logits).all():
            raise FloatingPointError(
                f"step {self.state.global_step}: label scores are not finite; lower learning_rate, or train in float32"
            )
        terms = self._terms(logits, target)
        weight = terms.weight * drawn
        total = weight.sum() if num_items_in_batch is None else num_items_in_batch
        # Data parallelism averages gradients over ranks, while `total` sums over them.
        ranks = 1 if num_items_in_batch is None else self.accelerator.num_processes
        loss = (terms.per_sample * weight).sum() / total * ranks
        self._count(logits, target)
        return (loss, {"logits": logits}) if return_outputs else loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Score the validation clips by label scoring; the figures may choose the best checkpoint."""
        if self.validate is None:
            raise ValueError("eval_strategy asks for evaluation, but the data set has no validation part")
        metrics = {f"eval_{name}": value for name, value in self.validate(self.model).items()}
        self.log(metrics)
        control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        self.control: TrainerControl = control
        return metrics

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Left to `emotrain publish`, which writes a card with figures."""

    def _terms(self, logits: torch.Tensor, target: torch.Tensor) -> LossTerms:
        progress = self.state.global_step / max(self.state.max_steps, 1)
        if self.objective == "labels":
            return self.label_loss(logits, target, progress)
        # Ordinary answer-token fine-tuning: the mean over tokens, so a label weighs as much as it has tokens.
        length = torch.tensor([len(ids) for ids in self.labels.tokens], device=target.device)[target]
        nll = -logits.gather(1, target.unsqueeze(1)).squeeze(1)
        return LossTerms(nll / length, length.to(nll), -label_mass(logits).detach())

    def _weights(self, batch: Mapping[str, Any]) -> torch.Tensor:
        # Weights depend on the targets alone; the scores are placeholders.
        placeholder = torch.zeros(len(batch["target"]), len(self.labels), device=batch["target"].device)
        return self._terms(placeholder, batch["target"]).weight * batch["weight"]

    def _count(self, logits: torch.Tensor, target: torch.Tensor) -> None:
        mode = "train" if self.model.training else "eval"
        with torch.no_grad():
            self._metrics[mode]["label_mass"].append(label_mass(logits).exp().mean().item())
            self._metrics[mode]["label_accuracy"].append((logits.argmax(-1) == target).float().mean().item())
