"""Hugging Face CLIP folders with random weights, written by the reference."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lab.peers import import_torchaudio

TEXT = {
    "vocab_size": 23, "hidden_size": 12, "intermediate_size": 20, "num_hidden_layers": 2, "num_attention_heads": 3,
    "max_position_embeddings": 9, "eos_token_id": 17, "bos_token_id": 0, "pad_token_id": 1,
}  # fmt: skip
VISION = {
    "hidden_size": 10, "intermediate_size": 14, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 12,
    "patch_size": 4,
}  # fmt: skip
CASES = {  # changes of text_config, of vision_config, and projection_dim
    "quick_gelu": ({}, {}, 7),
    "gelu": (
        {"vocab_size": 19, "hidden_size": 8, "intermediate_size": 11, "num_hidden_layers": 3, "num_attention_heads": 4,
         "max_position_embeddings": 6, "hidden_act": "gelu", "eos_token_id": 18},
        {"hidden_size": 15, "intermediate_size": 9, "num_hidden_layers": 1, "num_attention_heads": 5, "image_size": 15,
         "patch_size": 3, "hidden_act": "gelu"},
        13,
    ),
    "square projections": ({"hidden_size": 12}, {"hidden_size": 12, "num_attention_heads": 3, "patch_size": 6}, 12),
    "legacy end": (
        {"eos_token_id": 2, "vocab_size": 31, "num_attention_heads": 1, "max_position_embeddings": 11},
        {"hidden_size": 16, "intermediate_size": 64, "num_attention_heads": 8, "num_hidden_layers": 2, "image_size": 20,
         "patch_size": 5},
        5,
    ),
    "large eps": (
        {"layer_norm_eps": 0.3, "hidden_act": "gelu", "num_attention_heads": 6},
        {"layer_norm_eps": 0.1, "hidden_act": "quick_gelu", "image_size": 14, "patch_size": 7},
        9,
    ),
    "pixels beyond the last patch": (
        {"num_hidden_layers": 1, "eos_token_id": 3, "pad_token_id": 3},
        {"image_size": 11, "patch_size": 3, "hidden_act": "gelu", "num_attention_heads": 1},
        6,
    ),
}  # fmt: skip


def reference(case: str) -> Any:
    """``transformers.CLIPModel`` with random weights that all matter: its own first biases are 0, and its gains 1."""
    import_torchaudio()
    from transformers import CLIPConfig, CLIPModel
    from transformers.utils.logging import set_verbosity_error

    set_verbosity_error()
    text, vision, projection_dim = CASES[case]
    config = CLIPConfig(text_config=TEXT | text, vision_config=VISION | vision, projection_dim=projection_dim)
    model = CLIPModel(config).eval()
    generator = torch.Generator().manual_seed(sum(case.encode()))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim > 1 and "embedding" not in name:
                nn.init.normal_(parameter, std=parameter[0].numel() ** -0.5, generator=generator)
            elif parameter.ndim:
                nn.init.normal_(
                    parameter, mean=float("norm" in name and "weight" in name), std=0.5, generator=generator
                )
        model.logit_scale.fill_(1.5)
    return model


def save(model: Any, folder: Path, **options: Any) -> Path:
    """The folder, with config.json and the weights; its shards have at most ``max_shard_size`` bytes."""
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.save_pretrained(folder, **options)
    return folder
