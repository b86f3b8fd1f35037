"""A plugin of ms-swift (`--external_plugins`): its template of Qwen2.5-VL for checkpoints with another tokenizer.

ms-swift writes the ids that image and video have in Qwen's own tokenizer into the template; the benchmark's base has a
tokenizer of 600 words. Nothing else is changed. Runs in ms-swift's environment, never in that of emotrain.
"""

from __future__ import annotations

from typing import Any

from swift.template import register_template
from swift.template.templates.qwen import Qwen2_5VLTemplate, QwenTemplateMeta


class OwnTokens(Qwen2_5VLTemplate):
    def init_processor(self, processor: Any) -> None:
        super().init_processor(processor)
        if processor is not None:
            tokens = self.tokenizer
            self.image_token_id = tokens.convert_tokens_to_ids("<|image_pad|>")
            self.video_token_id = tokens.convert_tokens_to_ids("<|video_pad|>")


register_template(QwenTemplateMeta("qwen2_5_vl_own_tokens", template_cls=OwnTokens))
