"""Published weights: a Hugging Face CLIP folder → our ``CLIP``.

A folder has ``config.json``, and ``model.safetensors`` or ``model.safetensors.index.json`` with shards. The reference
is ``CLIPModel`` of transformers 5: features and logits are equal. How images are prepared is in ``preprocessing.py``.

Two rules say where a text ends. Folders whose ``eos_token_id`` is 2 are older than the right value in transformers: a
text ends at its largest token id, which is the end token in CLIP's own vocabulary. In all other folders it ends at the
first ``eos_token_id``.

What differs, and why:
- Weights in 16 bits become float32, which every processor computes with.
- A superfluous tensor is an error, because the model would not be the published one. ``position_ids``, a list of
  0, 1, 2, … in old files, is left out.
- ``attention_dropout`` is left out: it is 0 in all published models.
- ``pytorch_model.bin`` is not read: such a file can run code.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from annotated_types import Ge, Gt
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from clip_mini.image_encoders import VisionTransformer
from clip_mini.model import CLIP, TextEncoder
from lab.config import checked

Positive = Annotated[int, Ge(1)]
Activation = Literal["quick_gelu", "gelu"]
CONFIG, WEIGHTS, INDEX = "config.json", "model.safetensors", "model.safetensors.index.json"
LEGACY_END = 2  # the eos_token_id of folders whose texts end at their largest token id
BUFFERS = ("text_model.embeddings.position_ids", "vision_model.embeddings.position_ids")  # in old files


@dataclass(frozen=True)
class TextConfig:
    """``text_config``; the defaults are those of ``transformers.CLIPTextConfig``, and old files rely on them."""

    vocab_size: Positive = 49_408  # token ids
    hidden_size: Positive = 512  # width
    intermediate_size: Positive = 2048  # of each MLP
    num_hidden_layers: Positive = 12
    num_attention_heads: Positive = 8
    max_position_embeddings: Positive = 77  # token ids in a text at most
    hidden_act: Activation = "quick_gelu"
    layer_norm_eps: Annotated[float, Gt(0)] = 1e-5
    eos_token_id: Annotated[int, Ge(0)] = 49_407


@dataclass(frozen=True)
class VisionConfig:
    """``vision_config``; the defaults are those of ``transformers.CLIPVisionConfig``."""

    hidden_size: Positive = 768  # width
    intermediate_size: Positive = 3072  # of each MLP
    num_hidden_layers: Positive = 12
    num_attention_heads: Positive = 12
    num_channels: Literal[3] = 3
    image_size: Positive = 224  # pixels, height and width
    patch_size: Positive = 32  # pixels, height and width
    hidden_act: Activation = "quick_gelu"
    layer_norm_eps: Annotated[float, Gt(0)] = 1e-5


@dataclass(frozen=True)
class CommonConfig:
    """What both sides share; the default is that of ``transformers.CLIPConfig``."""

    projection_dim: Positive = 512  # dimensions of the common space


@dataclass(frozen=True)
class ModelConfig:
    """``config.json``."""

    text: TextConfig
    vision: VisionConfig
    common: CommonConfig


class LegacyTextEncoder(TextEncoder):
    """A text encoder that is read at the largest token id, at the first one if it comes twice."""

    def place_of_end(self, texts: Int[Tensor, "n t"]) -> Int[Tensor, " n"]:
        return texts.argmax(dim=1)


def load_pretrained(folder: Path) -> CLIP:
    """The model of a Hugging Face CLIP folder, in float32.

    Raises:
        ValueError: if a file is missing, damaged, or describes another kind of model; or if a tensor is missing,
            superfluous or of another shape. The message names the file, the tensor and both shapes.
    """
    config = read_config(folder)
    with torch.device("meta"):  # takes no memory: each parameter is replaced below
        model = build(config)
    names = names_in_file(config)
    with ExitStack() as stack:
        tensors = open_tensors(folder, stack)  # name in the file -> the open file
        weights = {}
        for ours, parameter in model.named_parameters():
            rows = len(parameter) // len(names[ours]) if parameter.ndim else 0  # q, k and v have a third each
            shape = (rows, *parameter.shape[1:]) if parameter.ndim else ()
            parts = [read_tensor(folder, tensors, theirs, shape) for theirs in names[ours]]
            weights[ours] = parts[0] if len(parts) == 1 else torch.cat(parts)
        needed = {name for group in names.values() for name in group}
        for name in sorted(tensors.keys() - needed - set(BUFFERS)):
            shape = tuple(tensors[name].get_slice(name).get_shape())
            raise ValueError(f"{folder}: tensor {name} is superfluous, of shape {shape}: {CONFIG} needs no such tensor")
    model.load_state_dict(weights, assign=True)
    return model


def build(config: ModelConfig) -> CLIP:
    """The model of these sizes, with random weights."""
    vision, text = config.vision, config.text
    image_encoder = VisionTransformer(
        vision.image_size, vision.patch_size, vision.hidden_size, vision.num_hidden_layers, vision.num_attention_heads,
        vision.intermediate_size, vision.hidden_act,
    )  # fmt: skip
    encoder = LegacyTextEncoder if text.eos_token_id == LEGACY_END else TextEncoder
    text_encoder = encoder(
        text.vocab_size, text.max_position_embeddings, text.eos_token_id, text.hidden_size, text.num_hidden_layers,
        text.num_attention_heads, text.intermediate_size, text.hidden_act,
    )  # fmt: skip
    for side, eps in ((image_encoder, vision.layer_norm_eps), (text_encoder, text.layer_norm_eps)):
        for module in side.modules():
            if isinstance(module, nn.LayerNorm):
                module.eps = eps
    return CLIP(image_encoder, text_encoder, config.common.projection_dim)


LAYER = {  # of a Block, by our name; several names are put below each other
    "norm1": ("layer_norm1",),
    "attention.project_in": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "attention.project_out": ("self_attn.out_proj",),
    "norm2": ("layer_norm2",),
    "mlp.0": ("mlp.fc1",),
    "mlp.2": ("mlp.fc2",),
}
OUTSIDE = {  # of the layers
    "log_scale": "logit_scale",
    "image_projection.weight": "visual_projection.weight",
    "text_projection.weight": "text_projection.weight",
    "image_encoder.class_token": "vision_model.embeddings.class_embedding",
    "image_encoder.patches.weight": "vision_model.embeddings.patch_embedding.weight",
    "image_encoder.positions": "vision_model.embeddings.position_embedding.weight",
    "image_encoder.norm_before.weight": "vision_model.pre_layrnorm.weight",  # published with this typing error
    "image_encoder.norm_before.bias": "vision_model.pre_layrnorm.bias",
    "image_encoder.norm_after.weight": "vision_model.post_layernorm.weight",
    "image_encoder.norm_after.bias": "vision_model.post_layernorm.bias",
    "text_encoder.embed.weight": "text_model.embeddings.token_embedding.weight",
    "text_encoder.positions": "text_model.embeddings.position_embedding.weight",
    "text_encoder.norm.weight": "text_model.final_layer_norm.weight",
    "text_encoder.norm.bias": "text_model.final_layer_norm.bias",
}


def names_in_file(config: ModelConfig) -> dict[str, tuple[str, ...]]:
    """Our parameter's name -> the names of the tensors that it consists of, in order."""
    names = {ours: (theirs,) for ours, theirs in OUTSIDE.items()}
    sides = (("image_encoder", "vision_model", config.vision), ("text_encoder", "text_model", config.text))
    for ours, theirs, side in sides:
        for k in range(side.num_hidden_layers):
            for part, parts in LAYER.items():
                for kind in ("weight", "bias"):
                    names[f"{ours}.transformer.blocks.{k}.{part}.{kind}"] = tuple(
                        f"{theirs}.encoder.layers.{k}.{name}.{kind}" for name in parts
                    )
    return names


def read_config(folder: Path) -> ModelConfig:
    """``config.json`` of a CLIP folder.

    Raises:
        ValueError: if it is missing, not JSON, of another kind of model, or has a value that is not allowed.
    """
    path = folder / CONFIG
    content = read_json(path)
    if content.get("model_type") != "clip":
        raise ValueError(f"{path}: model_type must be 'clip', got {content.get('model_type')!r}")
    sides = {}
    for name, kind in (("text_config", TextConfig), ("vision_config", VisionConfig)):
        # Old files have text_config_dict too. Where it is not null, the reference takes it, and its defaults.
        key = f"{name}_dict" if content.get(f"{name}_dict") is not None else name
        side = content[key] if content.get(key) is not None else {}
        if not isinstance(side, dict):
            raise ValueError(f"{path}: {key} must be an object, got {side!r}")
        sides[name] = config = checked_fields(path, f"{key}.", kind, side)
        if config.hidden_size % config.num_attention_heads != 0:
            heads = f"num_attention_heads, {config.num_attention_heads}"
            raise ValueError(f"{path}: {key}.hidden_size must be a multiple of {heads}, got {config.hidden_size}")
    image_size, patch = sides["vision_config"].image_size, sides["vision_config"].patch_size
    if patch > image_size:
        raise ValueError(f"{path}: vision_config.patch_size must be at most image_size, {image_size}, got {patch}")
    common = checked_fields(path, "", CommonConfig, content)
    return ModelConfig(sides["text_config"], sides["vision_config"], common)


def checked_fields(path: Path, prefix: str, kind: type, values: Mapping[str, Any]) -> Any:
    """The configuration with those of the values that are its fields; an error names file and field."""
    known = {field.name for field in fields(kind)}
    try:
        return checked(kind, {name: value for name, value in values.items() if name in known})
    except ValueError as error:
        raise ValueError(f"{path}: {prefix}{error}") from None


def read_json(path: Path) -> dict[str, Any]:
    """Raises ValueError if the file is missing or holds no JSON object."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:  # of JSON, and of UTF-8
        raise ValueError(f"{path}: not JSON, or damaged ({error})") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path}: must be a JSON object, got {type(content).__name__}")
    return content


def open_tensors(folder: Path, stack: ExitStack) -> dict[str, Any]:
    """Each tensor's name -> the open file that holds it. ``stack`` closes the files.

    Raises:
        ValueError: if there are no weights, if a shard is missing, damaged or outside the folder, or if a shard does
            not hold a tensor that the index promises.
    """
    if (folder / WEIGHTS).exists():
        file = open_weights(folder / WEIGHTS, stack)
        return dict.fromkeys(file.keys(), file)
    if not (folder / INDEX).exists():
        hint = ": pytorch_model.bin can run code, save it as safetensors" if any(folder.glob("*.bin")) else ""
        raise ValueError(f"{folder}: there must be {WEIGHTS} or {INDEX}, got neither{hint}")
    shard_of = read_json(folder / INDEX).get("weight_map")
    if not isinstance(shard_of, dict) or not shard_of:
        raise ValueError(f"{folder / INDEX}: weight_map must be an object of names and files, got {shard_of!r}")
    for name, shard in shard_of.items():
        if not isinstance(shard, str) or shard in ("", ".", "..") or "/" in shard or "\\" in shard or "\0" in shard:
            raise ValueError(f"{folder / INDEX}: {name} must be in a file of this folder, got {shard!r}")
    files = {shard: open_weights(folder / shard, stack) for shard in sorted(set(shard_of.values()))}
    inside = {shard: set(file.keys()) for shard, file in files.items()}
    for name, shard in shard_of.items():
        if name not in inside[shard]:
            raise ValueError(f"{folder / shard}: tensor {name} is missing, {INDEX} says that it is in this file")
    unlisted = {name: files[shard] for shard, names in inside.items() for name in names}
    return unlisted | {name: files[shard] for name, shard in shard_of.items()}


def open_weights(path: Path, stack: ExitStack) -> Any:
    try:
        return stack.enter_context(safe_open(path, "pt"))
    except FileNotFoundError:
        raise ValueError(f"cannot read {path}: there is no such file") from None
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path}: damaged, or no safetensors ({error})") from None


def read_tensor(folder: Path, tensors: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> Float[Tensor, "..."]:
    """The tensor as float32. Raises ValueError if it is missing, or of another shape or kind."""
    if name not in tensors:
        raise ValueError(f"{folder}: tensor {name} is missing, {CONFIG} needs it with shape {shape}")
    there = tuple(tensors[name].get_slice(name).get_shape())
    if there != shape:
        raise ValueError(f"{folder}: tensor {name} has shape {there}, {CONFIG} needs {shape}")
    tensor = tensors[name].get_tensor(name)
    if not tensor.is_floating_point():
        raise ValueError(f"{folder}: tensor {name} must have floating-point numbers, got {tensor.dtype}")
    return tensor.to(torch.float32, copy=True)  # a copy: the file may change later
