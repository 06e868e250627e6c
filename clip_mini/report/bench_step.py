"""The time of a training step beside ``transformers.CLIPModel``: forward, loss, backward and AdamW.

Both have the same weights, inputs and optimizer, and their losses are compared before the clock starts. The peer is in
its fastest mode: ``scaled_dot_product_attention``, no hidden states, and with the attention mask or without it,
whichever is faster; the mask changes nothing, because attention is causal and a text is read at its end. All texts are
padded to the longest one of the batch. Two rows: texts as long as the toy world's captions, and full texts, in which
there is no padding to save. A row has two candidates of ours: ``CLIP``, and its form in ``extensions/fast.py``.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from clip_mini.data import toy_batches, toy_tokenizer
from clip_mini.extensions.fast import faster
from clip_mini.extensions.pretrained import load_pretrained
from clip_mini.loss import contrastive_loss, pairwise_similarity
from clip_mini.model import CLIP
from lab.peers import import_torchaudio
from lab.timing import Spread, alternately, ratios, shown, spread, table
from toyworld.tokenizer import PAD

PAIRS, IMAGE_SIZE, PATCH, WIDTH, HEADS, HIDDEN, COMMON = 128, 64, 8, 256, 4, 1024, 256
IMAGE_LAYERS, TEXT_LAYERS, CONTEXT, WORDS = 6, 4, 32, 1000
END = WORDS - 1
MUST, MOONSHOT = 0.9, 0.6  # of the peer's time
OURS, FAST, PEER = "CLIP", "FastCLIP", "transformers"


class Inputs(NamedTuple):
    """A batch, and the mask that the peer's tokenizer gives: 1 up to the end of each text."""

    images: Float[Tensor, "n 3 h w"]
    texts: Int[Tensor, "n t"]
    mask: Int[Tensor, "n t"]


def inputs_of(lengths: Int[Tensor, " n"]) -> Inputs:
    """Random pixels, and random ids for texts of these lengths, the end token included."""
    generator = torch.Generator().manual_seed(0)
    n, t = len(lengths), int(lengths.max())
    place, last = torch.arange(t), lengths[:, None] - 1
    texts = torch.randint(1, END, (n, t), generator=generator)
    texts = texts.where(place < last, PAD).where(place != last, END)
    return Inputs(torch.rand(n, 3, IMAGE_SIZE, IMAGE_SIZE, generator=generator), texts, (place <= last).long())


def caption_lengths(pairs: int) -> Int[Tensor, " n"]:
    """Token ids in each of the toy world's first captions, start and end included."""
    batch = toy_batches(toy_tokenizer("english"), "english", 0, pairs, 16, CONTEXT)(0)
    return (batch.texts != PAD).sum(dim=1)


def build_peer() -> nn.Module:
    """``transformers.CLIPModel`` of the bench's configuration, with its own random weights."""
    import_torchaudio()
    from transformers import CLIPConfig, CLIPModel

    side = {"hidden_size": WIDTH, "intermediate_size": HIDDEN, "num_attention_heads": HEADS, "hidden_act": "gelu"}
    text = {
        "vocab_size": WORDS, "num_hidden_layers": TEXT_LAYERS, "max_position_embeddings": CONTEXT,
        "pad_token_id": PAD, "bos_token_id": 1, "eos_token_id": END,
    }  # fmt: skip
    vision = {"num_hidden_layers": IMAGE_LAYERS, "image_size": IMAGE_SIZE, "patch_size": PATCH}
    config = CLIPConfig(text_config=side | text, vision_config=side | vision, projection_dim=COMMON)
    return CLIPModel._from_config(config, attn_implementation="sdpa").train()


def same_as(peer: nn.Module) -> CLIP:
    """Our model with the peer's weights."""
    with TemporaryDirectory() as folder:
        peer.save_pretrained(folder)
        return load_pretrained(Path(folder))


def loss_of(model: CLIP, inputs: Inputs) -> Float[Tensor, ""]:
    return contrastive_loss(pairwise_similarity(*model(inputs.images, inputs.texts), model.log_scale))


def loss_of_peer(peer: nn.Module, inputs: Inputs, masked: bool) -> Float[Tensor, ""]:
    mask = {"attention_mask": inputs.mask} if masked else {}
    return peer(input_ids=inputs.texts, pixel_values=inputs.images, return_loss=True, **mask).loss


def training_step(model: nn.Module, loss: Callable[[], Float[Tensor, ""]]) -> Callable[[], None]:
    """A step that changes next to nothing, so that all repetitions do the same work."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-9, weight_decay=0.1, fused=True)

    def step() -> None:
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()

    return step


def compare(inputs: Inputs, repetitions: int) -> dict:
    """Milliseconds of each candidate, and the ratios of ours to the peer.

    Raises:
        RuntimeError: if ours and the peer's loss differ: then they do not compute the same.
    """
    peer = build_peer()
    model = same_as(peer)
    fast = faster(model)
    losses = {
        OURS: lambda: loss_of(model, inputs),
        FAST: lambda: loss_of(fast, inputs),
        PEER: lambda: loss_of_peer(peer, inputs, masked=True),
        f"{PEER} without mask": lambda: loss_of_peer(peer, inputs, masked=False),
    }
    with torch.no_grad():
        values = [loss().item() for loss in losses.values()]
    if max(values) - min(values) > 1e-4:
        raise RuntimeError(f"all candidates must have the same loss, got {values}")
    owners = {OURS: model, FAST: fast}
    steps = {name: training_step(owners.get(name, peer), loss) for name, loss in losses.items()}
    seconds = alternately(steps, repetitions)
    masked, plain = (spread(seconds[name]).median for name in list(losses)[2:])
    mode = PEER if masked <= plain else f"{PEER} without mask"
    return {
        "milliseconds": {name: spread([1000 * s for s in times])._asdict() for name, times in seconds.items()},
        "ratio": {name: ratios(seconds[name], seconds[mode])._asdict() for name in (OURS, FAST)},
        "peer": mode,
        "texts": {"longest": inputs.texts.shape[1], "mean": inputs.mask.sum(dim=1).double().mean().item()},
    }


def measure(repetitions: int, pairs: int = PAIRS) -> tuple[str, dict]:
    """The table, and its numbers by row: captions, and full texts."""
    batches = {"captions": caption_lengths(pairs), "full texts": torch.full((pairs,), CONTEXT)}
    measured = {name: compare(inputs_of(lengths), repetitions) for name, lengths in batches.items()}
    lines = [("texts", "ours", "ours / peer", "ours (ms)", "peer (ms)", "must", "moonshot")]
    for name, row in measured.items():
        for ours in (OURS, FAST):
            milliseconds = [row["milliseconds"][side]["median"] for side in (ours, row["peer"])]
            times = (f"{value:,.0f}" for value in milliseconds)
            ratio = shown(Spread(**row["ratio"][ours]))
            lines.append((name, ours, ratio, *times, f"≤ {MUST}", f"≤ {MOONSHOT}"))
    sizes = ", ".join(
        f"{name}: {row['texts']['mean']:.1f} of {row['texts']['longest']}" for name, row in measured.items()
    )
    note = f"Token ids in a text, the mean of the longest: {sizes}. {torch.get_num_threads()} threads, {pairs} pairs."
    return f"{table(lines)}\n\n{note}", measured
