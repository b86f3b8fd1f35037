"""A Qwen2.5-VL of about a million parameters: the real architecture and the real processor, at toy width.

An 84 x 84 frame becomes 6 x 6 patches of 14 pixels, merged 2 x 2 into 9 visual tokens.
"""

from __future__ import annotations

from typing import Any

FRAME_PIXELS = 84
TOKENS_PER_FRAME = 9
WIDTH = 96
EMBEDDING_STD = 0.1


def tiny_config(tokenizer: Any, width: int = WIDTH, text_layers: int = 4, vision_depth: int = 3) -> Any:
    """A `Qwen2_5_VLConfig` for the tokenizer; `width`, of tower and language model alike, is a multiple of 24."""
    from transformers import Qwen2_5_VLConfig

    token = tokenizer.convert_tokens_to_ids
    return Qwen2_5_VLConfig(
        vision_config={
            "depth": vision_depth,
            "hidden_size": width,
            "intermediate_size": width * 8 // 3,
            "num_heads": 4,
            "out_hidden_size": width,
            "patch_size": 14,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "window_size": 112,
            "fullatt_block_indexes": list(range(vision_depth)),
        },
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": width,
            "intermediate_size": width * 8 // 3,
            "num_hidden_layers": text_layers,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "max_position_embeddings": 4096,
            # The four heads are width / 4 wide; half of a head's width is shared out over time, height and width.
            "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [width // 24] * 3},
            "bos_token_id": None,
            "eos_token_id": token("<|im_end|>"),
            "pad_token_id": token("<|endoftext|>"),
        },
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
    )


def tiny_processor(tokenizer: Any, frame_pixels: int = FRAME_PIXELS) -> Any:
    """The real `Qwen2_5_VLProcessor` around the tokenizer; images are resized to an area of `frame_pixels` squared."""
    from transformers import Qwen2_5_VLProcessor, Qwen2VLImageProcessor, Qwen2VLVideoProcessor

    size = {"shortest_edge": frame_pixels**2, "longest_edge": frame_pixels**2}
    return Qwen2_5_VLProcessor(
        image_processor=Qwen2VLImageProcessor(size=size),
        tokenizer=tokenizer,
        video_processor=Qwen2VLVideoProcessor(size=size),
        chat_template=tokenizer.chat_template,
    )


def tiny_model(tokenizer: Any, seed: int = 0, width: int = WIDTH, text_layers: int = 4, vision_depth: int = 3) -> Any:
    """A `Qwen2_5_VLForConditionalGeneration` with random weights, a pure function of `seed`, in float32."""
    import torch
    from transformers import Qwen2_5_VLForConditionalGeneration

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Qwen2_5_VLForConditionalGeneration(tiny_config(tokenizer, width, text_layers, vision_depth))
    # At a hundred dimensions the usual spread of 0.02 makes words so short that the tied head cannot be sure of any: a
    # logit is bounded by the word's length. Minutes of training do not mend that, and LoRA leaves the head frozen.
    with torch.no_grad():
        model.get_input_embeddings().weight.mul_(EMBEDDING_STD / 0.02)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    model.generation_config.update(eos_token_id=end, pad_token_id=tokenizer.pad_token_id, do_sample=False)
    return model.eval()
