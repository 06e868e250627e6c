"""Each damaged folder of published weights is one line: which file, which tensor or field, what is allowed."""

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from clip_mini.extensions.preprocessing import read_preprocessing
from clip_mini.extensions.pretrained import load_pretrained
from tests.clip_mini import published

LAYER = "text_model.encoder.layers.1"


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, dict[str, bytes]]:
    """The files of a good folder, with one file of weights and with shards."""
    model = published.reference("quick_gelu")
    folders = {
        "one": published.save(model, tmp_path_factory.mktemp("one")),
        "shards": published.save(model, tmp_path_factory.mktemp("shards"), max_shard_size="4KB"),
    }
    return {kind: {path.name: path.read_bytes() for path in folder.iterdir()} for kind, folder in folders.items()}


def unpack(files: dict[str, bytes], folder: Path) -> Path:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def check_refused(read, folder: Path, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)) as raised:
        read(folder)
    assert "\n" not in str(raised.value)
    assert str(folder) in str(raised.value)


def edit_tensors(folder: Path, changes: dict[str, torch.Tensor | None]) -> None:
    tensors = load_file(folder / "model.safetensors") | changes
    kept = {name: tensor for name, tensor in tensors.items() if tensor is not None}
    save_file(kept, folder / "model.safetensors")


TENSORS = {  # what is changed, and what is said
    "missing": (
        {f"{LAYER}.self_attn.k_proj.weight": None},
        f"tensor {LAYER}.self_attn.k_proj.weight is missing, config.json needs it with shape (12, 12)",
    ),
    "missing scale": ({"logit_scale": None}, "tensor logit_scale is missing, config.json needs it with shape ()"),
    "misshapen": (
        {"visual_projection.weight": torch.zeros(10, 7)},
        "tensor visual_projection.weight has shape (10, 7), config.json needs (7, 10)",
    ),
    "misshapen key": (
        {f"{LAYER}.self_attn.k_proj.bias": torch.zeros(11)},
        f"tensor {LAYER}.self_attn.k_proj.bias has shape (11,), config.json needs (12,)",
    ),
    "scale in a list": ({"logit_scale": torch.zeros(1)}, "tensor logit_scale has shape (1,), config.json needs ()"),
    "superfluous": (
        {"text_model.encoder.layers.2.mlp.fc1.bias": torch.zeros(20)},
        "tensor text_model.encoder.layers.2.mlp.fc1.bias is superfluous, of shape (20,)",
    ),
    "whole numbers": (
        {"text_projection.weight": torch.zeros(7, 12, dtype=torch.int8)},
        "tensor text_projection.weight must have floating-point numbers, got torch.int8",
    ),
}


@pytest.mark.parametrize("name", TENSORS)
def test_tensors(written, tmp_path, name: str) -> None:
    folder, (changes, message) = unpack(written["one"], tmp_path), TENSORS[name]
    edit_tensors(folder, changes)
    check_refused(load_pretrained, folder, message)


def test_position_ids_of_old_files_are_left_out(written, tmp_path) -> None:
    folder = unpack(written["one"], tmp_path)
    expected = load_pretrained(folder).state_dict()
    names = ("text_model.embeddings.position_ids", "vision_model.embeddings.position_ids")
    edit_tensors(folder, {name: torch.arange(9)[None] for name in names})
    got = load_pretrained(folder).state_dict()
    assert got.keys() == expected.keys()
    assert all(torch.equal(got[name], expected[name]) for name in got)


FIELDS = {  # the place in config.json, the value, and what is said
    "model_type": ("blip", "config.json: model_type must be 'clip', got 'blip'"),
    "text_config": ([1], "config.json: text_config must be an object, got [1]"),
    "text_config.hidden_act": ("swish", "config.json: text_config.hidden_act must be 'quick_gelu' or 'gelu', got 'sw"),
    "vision_config.hidden_act": (None, "config.json: vision_config.hidden_act must be 'quick_gelu' or 'gelu', got Non"),
    "vision_config.num_channels": (1, "config.json: vision_config.num_channels must be 3, got 1"),
    "vision_config.image_size": ([12, 12], "config.json: vision_config.image_size must be a valid integer, got [12, 1"),
    "vision_config.patch_size": (13, "config.json: vision_config.patch_size must be at most image_size, 12, got 13"),
    "text_config.num_attention_heads": (
        5, "config.json: text_config.hidden_size must be a multiple of num_attention_heads, 5, got 12",
    ),
    "text_config.eos_token_id": ([2, 3], "config.json: text_config.eos_token_id must be a valid integer, got [2, 3]"),
    "text_config.layer_norm_eps": (0, "config.json: text_config.layer_norm_eps must be greater than 0, got 0"),
    "projection_dim": (0, "config.json: projection_dim must be greater than or equal to 1, got 0"),
    "text_config.vocab_size": (
        24, "tensor text_model.embeddings.token_embedding.weight has shape (23, 12), config.json needs (24, 12)",
    ),
    "vision_config.num_hidden_layers": (
        4, "tensor vision_model.encoder.layers.3.layer_norm1.weight is missing, config.json needs it with shape (10,)",
    ),
    "vision_config.intermediate_size": (
        10**12, "mlp.fc1.weight has shape (14, 10), config.json needs (1000000000000, 10)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", FIELDS)
def test_config(written, tmp_path, place: str) -> None:
    folder, (value, message) = unpack(written["one"], tmp_path), FIELDS[place]
    content = json.loads((folder / "config.json").read_text())
    *parents, name = place.split(".")
    target = content
    for parent in parents:
        target = target[parent]
    target[name] = value
    (folder / "config.json").write_text(json.dumps(content))
    check_refused(load_pretrained, folder, message)


def test_config_without_a_model_type(written, tmp_path) -> None:
    (tmp_path / "config.json").write_text("{}")
    check_refused(load_pretrained, tmp_path, "config.json: model_type must be 'clip', got None")


FILES = {  # which folder, the file, its new content (None: it is deleted), and what is said
    "no config": ("one", "config.json", None, "config.json: No such file or directory"),
    "cut config": ("one", "config.json", b'{"model_type": "clip", "te', "config.json: not JSON, or damaged"),
    "config in UTF-16": ("one", "config.json", b"\xff\xfe\xd8", "config.json: not JSON, or damaged"),
    "config is a list": ("one", "config.json", b"[]", "config.json: must be a JSON object, got list"),
    "no weights": (
        "one",
        "model.safetensors",
        None,
        "must be model.safetensors or model.safetensors.index.json, got n",
    ),
    "empty weights": ("one", "model.safetensors", b"", "model.safetensors: damaged, or no safetensors"),
    "cut weights": ("one", "model.safetensors", ..., "model.safetensors: damaged, or no safetensors"),
    "no shard": (
        "shards",
        "model-00002-of-00007.safetensors",
        None,
        "00002-of-00007.safetensors: there is no such file",
    ),
    "cut shard": (
        "shards",
        "model-00002-of-00007.safetensors",
        ...,
        "model-00002-of-00007.safetensors: damaged, or no",
    ),
    "cut index": ("shards", "model.safetensors.index.json", b"{", "model.safetensors.index.json: not JSON, or damaged"),
    "no map": (
        "shards",
        "model.safetensors.index.json",
        b"{}",
        "index.json: weight_map must be an object of names and",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_files(written, tmp_path, name: str) -> None:
    kind, file, content, message = FILES[name]
    files = dict(written[kind])
    if content is None:
        del files[file]
    else:
        files[file] = files[file][: len(files[file]) // 2] if content is ... else content
    check_refused(load_pretrained, unpack(files, tmp_path), message)


def edit_index(folder: Path, change) -> None:
    path = folder / "model.safetensors.index.json"
    content = json.loads(path.read_text())
    change(content["weight_map"])
    path.write_text(json.dumps(content))


@pytest.mark.parametrize("shard", ["../other.safetensors", "/etc/passwd", "a/b.safetensors", "..", "", "a\\b", 3, None])
def test_shard_outside_the_folder(written, tmp_path, shard) -> None:
    folder = unpack(written["shards"], tmp_path)
    edit_index(folder, lambda names: names.update({"logit_scale": shard}))
    check_refused(load_pretrained, folder, f"logit_scale must be in a file of this folder, got {shard!r}")


def test_index_and_shard_disagree(written, tmp_path) -> None:
    folder = unpack(written["shards"], tmp_path)
    edit_index(folder, lambda names: names.update({"logit_scale": names["visual_projection.weight"]}))
    message = "tensor logit_scale is missing, model.safetensors.index.json says that it is in this file"
    check_refused(load_pretrained, folder, message)


def test_tensor_in_no_shard(written, tmp_path) -> None:
    folder = unpack(written["shards"], tmp_path)
    edit_index(folder, lambda names: names.pop("logit_scale"))
    for path in folder.glob("model-*.safetensors"):
        save_file({k: v for k, v in load_file(path).items() if k != "logit_scale"}, path)
    check_refused(load_pretrained, folder, "tensor logit_scale is missing, config.json needs it with shape ()")


def test_weights_that_can_run_code_are_not_read(written, tmp_path) -> None:
    folder = unpack({"config.json": written["one"]["config.json"], "pytorch_model.bin": b""}, tmp_path)
    check_refused(load_pretrained, folder, "pytorch_model.bin can run code, save it as safetensors")


def test_a_folder_that_is_not_there(tmp_path) -> None:
    check_refused(load_pretrained, tmp_path / "none", "config.json: No such file or directory")


IMAGES = {  # preprocessor_config.json, and what is said
    '{"size": -3}': "size must be pixels, as N, shortest_edge, or height and width, got -3",
    '{"size": {"longest_edge": 9}}': "size must be pixels, as N, shortest_edge, or height and width, got {'longest",
    '{"crop_size": "9"}': "crop_size must be pixels, as N, shortest_edge, or height and width, got '9'",
    '{"crop_size": true}': "crop_size must be pixels, as N, shortest_edge, or height and width, got True",
    '{"image_mean": [1, 2]}': "image_mean must be three numbers, got [1, 2]",
    '{"image_std": [1, 0, 2]}': "image_std must be three positive numbers, got [1, 0, 2]",
    '{"image_std": [1, NaN, 2]}': "image_std must be three positive numbers, got [1, nan, 2]",
    '{"image_mean": {}}': "image_mean must be three numbers, got {}",
    '{"resample": 9}': "resample must be one of 0 (nearest), 4 (box), 2 (bilinear), 5 (hamming), 3 (bicubic), 1 (l",
    '{"resample": [3]}': "resample must be one of 0 (nearest)",
    '{"rescale_factor": "1/255"}': "rescale_factor must be a number, got '1/255'",
    '{"do_resize": "no"}': "do_resize must be true or false, got 'no'",
    "[": "not JSON, or damaged",
}


@pytest.mark.parametrize("content", IMAGES)
def test_preprocessor(tmp_path, content: str) -> None:
    (tmp_path / "preprocessor_config.json").write_text(content)
    check_refused(read_preprocessing, tmp_path, f"preprocessor_config.json: {IMAGES[content]}")
