"""A LoRA layer that adds its update inside the matrix product, in the type that the base computes in.

PEFT casts the input of every adapted layer to the adapter's float32, scales the wide output, and adds it in a pass of
its own: 393 GiB of memory traffic in a step of a 3B model, of which 165 are left here. Weights stay float32 masters;
they are cast as autocast casts them. Nothing of the file format changes: the layer is PEFT's own with another forward.
"""

from __future__ import annotations

from typing import Any

from peft.tuners.lora.layer import Linear
from torch import Tensor, nn
from torch.nn.functional import linear


class FusedLinear(Linear):
    """y = W x + (s A x) B with the sum in the product's accumulator; whatever is not plain LoRA goes PEFT's own way."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """(..., in) to (..., out), of the base layer's output type."""
        name = self._plain_adapter()
        if name is None or args or kwargs:
            whole: Tensor = super().forward(x, *args, **kwargs)
            return whole
        out: Tensor = self.base_layer(x)
        down, up = self.lora_A[name].weight, self.lora_B[name].weight
        inner = linear(self.lora_dropout[name](x).to(out.dtype), down.to(out.dtype)) * self.scaling[name]
        flat = out.flatten(0, -2)
        # In place: the output of a matrix product is kept by nobody for its backward pass.
        flat.addmm_(inner.flatten(0, -2), up.to(out.dtype).t())
        return flat.view_as(out)

    def _plain_adapter(self) -> str | None:
        """The one active adapter, if it is plain LoRA and its weights are whole outside of their own modules."""
        if self.disable_adapters or self.merged or len(self.active_adapters) != 1:
            return None
        name = str(self.active_adapters[0])
        if name not in self.lora_A or name in self.lora_variant or self.lora_bias.get(name) or self.fan_in_fan_out:
            return None
        # ZeRO-3 gathers a weight when its own module is called.
        return None if hasattr(self.lora_B[name].weight, "ds_id") else name


def fuse(config: Any, model: nn.Module) -> Any:
    """Let PEFT make such layers of the model's linear ones; a quantised base keeps PEFT's layers for it."""
    if getattr(model, "quantization_method", None) is None:
        config._register_custom_module({nn.Linear: FusedLinear})
    return config
