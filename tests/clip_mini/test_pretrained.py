"""A Hugging Face folder gives the model of the reference, ``transformers.CLIPModel``

W_i f, W_t f: features before the norm    load_pretrained    test_equals_the_reference, test_any_text
logits e^t û·v̂, both directions           load_pretrained    test_equals_the_reference
their gradients                           load_pretrained    test_gradient_equals_the_reference
the first end token                       TextEncoder        test_place_of_end_by_hand
the largest token id, in old folders      LegacyTextEncoder  test_place_of_end_by_hand
q, k, v: three tensors in one             names_in_file      test_attention_by_hand
16 bits, shards                           load_pretrained    test_half_precision, test_shards
"""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from clip_mini.extensions.pretrained import (
    CommonConfig,
    LegacyTextEncoder,
    TextConfig,
    VisionConfig,
    load_pretrained,
    names_in_file,
    read_config,
)
from clip_mini.loss import contrastive_loss, pairwise_similarity
from clip_mini.model import TextEncoder
from tests.clip_mini import published
from tests.clip_mini.misconceptions import pretrained as misconceptions
from tests.teach import check_close, check_equal

EXACT = {torch.float64: (1e-10, 1e-10), torch.float32: (1e-5, 1e-5)}
TYPES = pytest.mark.parametrize("dtype", EXACT, ids=str)
ALL_CASES = pytest.mark.parametrize("case", published.CASES)


@pytest.fixture(scope="module")
def folder_of():
    """case → a folder that the reference wrote, and the reference."""
    with TemporaryDirectory() as root:

        @cache
        def write(case: str):
            model = published.reference(case)
            return published.save(model, Path(root) / case), model

        yield write


def some_images(model, n: int) -> torch.Tensor:
    size = model.config.vision_config.image_size
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(1)).double()


def some_texts(model) -> torch.Tensor:
    """Texts of unequal lengths: ids above the end token, words and end tokens in the padding, an end at the start."""
    config = model.config.text_config
    end, words, most = config.eos_token_id, config.vocab_size, config.max_position_embeddings
    if end == 2:  # ends at the largest id
        rows = [[0, 5, 2, 30, 1, 1], [0, 30, 30, 4, 2, 30], [30], [0, *range(3, most + 1), 30][-most:], [7, 2, 9, 8, 9]]
    else:
        rows = [[0, words - 1, 4, end], [0, end, end, end, 5], [end, 4, words - 1, end], [0, 5, 6, 4, 5, end], [0, end]]
    length = max(map(len, rows))
    return torch.tensor([row + [config.pad_token_id] * (length - len(row)) for row in rows])


def expected_of(model, images: torch.Tensor, texts: torch.Tensor) -> dict[str, torch.Tensor]:
    """What the reference gives. Its attention mask ends with the text."""
    end = model.config.text_config.eos_token_id
    ends = [row.index(max(row) if end == 2 else end) for row in texts.tolist()]
    mask = (torch.arange(texts.shape[1]) <= torch.tensor(ends)[:, None]).long()
    images = images.to(model.dtype)
    out = model(input_ids=texts, pixel_values=images, attention_mask=mask)
    return {
        "W_i f, the image features": model.get_image_features(images).pooler_output,
        "W_t f, the text features": model.get_text_features(texts, attention_mask=mask).pooler_output,
        "û, the image's unit vectors": out.image_embeds,
        "v̂, the text's unit vectors": out.text_embeds,
        "S = e^t û v̂ᵀ, one row an image": out.logits_per_image,
        "Sᵀ, one row a text": out.logits_per_text,
    }


def results_of(model, images: torch.Tensor, texts: torch.Tensor) -> dict[str, torch.Tensor]:
    images = images.to(model.log_scale.dtype)
    similarity = pairwise_similarity(model.encode_image(images), model.encode_text(texts), model.log_scale)
    return {
        "W_i f, the image features": model.image_projection(model.image_encoder(images)),
        "W_t f, the text features": model.text_projection(model.text_encoder(texts)),
        "û, the image's unit vectors": model.encode_image(images),
        "v̂, the text's unit vectors": model.encode_text(texts),
        "S = e^t û v̂ᵀ, one row an image": similarity,
        "Sᵀ, one row a text": similarity.T,
    }


def check_equals_the_reference(load, written, dtype: torch.dtype, texts: torch.Tensor | None = None) -> None:
    folder, peer = written
    peer, model = peer.to(dtype), load(folder).to(dtype)
    images, texts = some_images(peer, 4), some_texts(peer) if texts is None else texts
    with torch.no_grad():
        expected, got = expected_of(peer, images, texts), results_of(model, images, texts)
    for name, value in expected.items():
        check_close(name, got[name], value, *EXACT[dtype])


@TYPES
@ALL_CASES
def test_equals_the_reference(folder_of, case: str, dtype: torch.dtype) -> None:
    check_equals_the_reference(load_pretrained, folder_of(case), dtype)


loaded = cache(load_pretrained)  # by folder


@pytest.mark.parametrize("case", ["quick_gelu", "legacy end", "pixels beyond the last patch"])
@given(data=st.data())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text(folder_of, case: str, data) -> None:
    """Any ids before the end token, and any after it."""
    folder, peer = folder_of(case)
    model, config = loaded(folder), peer.config.text_config
    ids = st.integers(0, config.vocab_size - 1)
    length = data.draw(st.integers(1, config.max_position_embeddings))
    rows = data.draw(st.lists(st.lists(ids, min_size=length, max_size=length), min_size=1, max_size=4))
    if config.eos_token_id != 2:
        for row in rows:
            row[data.draw(st.integers(0, length - 1))] = config.eos_token_id
    check_equals_the_reference(lambda _: model, (folder, peer), torch.float64, torch.tensor(rows))


@pytest.mark.parametrize("case", ["quick_gelu", "legacy end"])
def test_gradient_equals_the_reference(folder_of, case: str) -> None:
    """Of the loss, to pixels and to every weight: so each of our rows belongs to the right tensor."""
    folder, peer = folder_of(case)
    peer, model, images = peer.double(), load_pretrained(folder).double(), some_images(peer, 5)
    texts, sides = some_texts(peer), [images.clone().requires_grad_() for _ in range(2)]
    mask = torch.ones_like(texts)  # what comes after the end token is not read, with a mask or without
    peer.zero_grad()
    expected = peer(input_ids=texts, pixel_values=sides[0], attention_mask=mask, return_loss=True).loss
    got = contrastive_loss(pairwise_similarity(*model(sides[1], texts), model.log_scale))
    check_close("L", got, expected)
    expected.backward(), got.backward()
    check_close("dL/d pixels", sides[1].grad, sides[0].grad)
    theirs = {name: parameter.grad for name, parameter in peer.named_parameters()}
    names = names_in_file(read_config(folder))
    for name, parameter in model.named_parameters():
        parts = [theirs[part] for part in names[name]]
        gradient = torch.cat(parts) if parts[0].ndim else parts[0]
        check_close(f"dL/d {name}", parameter.grad, gradient)


def test_place_of_end_by_hand() -> None:
    """End token 7. Row 0: first of two ends. Row 1: an id above the end token comes before it. Row 2: a second 9."""
    texts = torch.tensor([[1, 3, 7, 7, 0], [1, 9, 7, 0, 0], [7, 9, 9, 7, 3]])
    sizes = {"words": 10, "context": 5, "end": 7, "width": 4, "layers": 1, "heads": 2, "hidden": 3}
    places = {kind: kind(**sizes, activation="gelu").place_of_end(texts) for kind in (TextEncoder, LegacyTextEncoder)}
    assert places[TextEncoder].tolist() == [2, 2, 0], "the first end token"
    assert places[LegacyTextEncoder].tolist() == [2, 1, 1], "the first of the largest ids"


def test_attention_by_hand(folder_of) -> None:
    """The rows of ``project_in`` are those of q, then of k, then of v."""
    folder, _ = folder_of("quick_gelu")
    tensors = load_file(folder / "model.safetensors")
    for ours, theirs in (("image_encoder", "vision_model"), ("text_encoder", "text_model")):
        weight = getattr(load_pretrained(folder), ours).transformer.blocks[1].attention.project_in.weight
        width = weight.shape[1]
        for k, name in enumerate("qkv"):
            expected = tensors[f"{theirs}.encoder.layers.1.self_attn.{name}_proj.weight"]
            check_equal(f"rows of {name} in project_in of the {ours}", weight[k * width : (k + 1) * width], expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=str)
def test_half_precision(tmp_path, dtype: torch.dtype) -> None:
    """Numbers of 16 bits are read as they are, and computed with in float32."""
    peer = published.reference("quick_gelu").to(dtype)
    written = published.save(peer, tmp_path), peer.float()
    assert {tensor.dtype for tensor in load_file(tmp_path / "model.safetensors").values()} == {dtype}
    assert {parameter.dtype for parameter in load_pretrained(tmp_path).parameters()} == {torch.float32}
    check_equals_the_reference(load_pretrained, written, torch.float32)


def test_shards(tmp_path) -> None:
    peer = published.reference("gelu")
    written = published.save(peer, tmp_path, max_shard_size="2KB"), peer
    assert len(list(tmp_path.glob("model-*.safetensors"))) > 3
    check_equals_the_reference(load_pretrained, written, torch.float64)


def test_weights_learn_and_are_free_of_the_file(folder_of, tmp_path) -> None:
    model = load_pretrained(published.save(folder_of("gelu")[1].float(), tmp_path))
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    (tmp_path / "model.safetensors").write_bytes(b"")
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad, name
        check_equal(name, parameter, before[name])


def change_config(folder: Path, change) -> None:
    content = json.loads((folder / "config.json").read_text())
    change(content)
    (folder / "config.json").write_text(json.dumps(content))


OLD_FIELDS = ("hidden_act", "layer_norm_eps", "eos_token_id", "num_channels", "projection_dim")


def without_old_fields(content: dict) -> None:
    """``hidden_act`` and the rest are the defaults in this case's folder, apart from the end token."""
    for side in ("text_config", "vision_config"):
        for name in OLD_FIELDS:
            content[side].pop(name, None)


def old_dictionaries(content: dict) -> None:
    """Where both are there, ``text_config_dict`` and its defaults count; ``text_config`` is ignored."""
    for side in ("text_config", "vision_config"):
        content[f"{side}_dict"] = dict(content[side])
        content[side] |= {"hidden_act": "gelu", "num_attention_heads": 1, "layer_norm_eps": 0.5}
        del content[f"{side}_dict"]["hidden_act"]
    content["text_config"]["eos_token_id"] = 2


@pytest.mark.parametrize("change", [without_old_fields, old_dictionaries])
def test_old_config(tmp_path, change) -> None:
    """The reference reads the same config.json."""
    from transformers import CLIPModel

    published.save(published.reference("quick_gelu"), tmp_path)
    change_config(tmp_path, change)
    peer, model = CLIPModel.from_pretrained(tmp_path).eval().double(), load_pretrained(tmp_path).double()
    assert model.text_encoder.end == peer.config.text_config.eos_token_id
    texts, images = torch.tensor([[0, 5, 17, 3], [3, 17, 4, 20]]), some_images(peer, 3)
    with torch.no_grad():
        expected = peer(input_ids=texts, pixel_values=images, attention_mask=torch.ones_like(texts)).logits_per_image
        got = pairwise_similarity(*model(images, texts), model.log_scale)
    check_close("S of published weights", got, expected)


def test_defaults_are_those_of_the_reference() -> None:
    """What a field is where config.json does not have it."""
    from transformers import CLIPConfig, CLIPTextConfig, CLIPVisionConfig

    pairs = ((TextConfig, CLIPTextConfig), (VisionConfig, CLIPVisionConfig), (CommonConfig, CLIPConfig))
    for ours, theirs in pairs:
        assert vars(ours()) == {name: getattr(theirs(), name) for name in vars(ours())}


@pytest.mark.parametrize("wrong", misconceptions.WRONG, ids=lambda function: function.__name__)
def test_wrong_loading_is_caught(folder_of, wrong) -> None:
    with pytest.raises(AssertionError):
        check_equals_the_reference(wrong, folder_of(misconceptions.WRONG[wrong]), torch.float64)
