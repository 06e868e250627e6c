r"""How well images and texts find each other: recall at k, and zero-shot accuracy (Radford et al. 2021, section 3.1).

All numbers lie between 0 and 1. Beside each is chance, and what an encoder would reach that sees one attribute only:
the colours of a scene, or its shapes.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from math import comb
from types import MappingProxyType

import torch
from jaxtyping import Float, Int
from torch import Tensor

from clip_mini.data import LANGUAGES, encode
from clip_mini.model import CLIP
from clip_mini.zero_shot import class_embeddings, classify
from toyworld.captions import say, tell
from toyworld.drawing import draw
from toyworld.facts import Description, Exists
from toyworld.rng import Rng
from toyworld.scenes import COLOURS, SHAPES, SHOWN, Scene, scene_at
from toyworld.tokenizer import Tokenizer

KS = (1, 5, 10)
IMAGE_TO_TEXT, TEXT_TO_IMAGE = "image→text", "text→image"
PAIRS = tuple((colour, shape) for colour in COLOURS for shape in SHAPES)  # the classes of the zero-shot task
WORDINGS = 12  # of a class are drawn; those that are equal count once
CHUNK = 250  # images or texts that are encoded at once
SEEN, UNSEEN = "zero-shot, seen pairs", "zero-shot, unseen pairs"
ACCURACY = "accuracy"
PROMISES = MappingProxyType(  # (data, split, measure): what the README promises
    {
        ("toy", "test", "image→text R@1"): 0.95,
        ("toy", "test", "text→image R@1"): 0.95,
        ("toy", "compositional", "image→text R@1"): 0.80,
        ("toy", "compositional", "text→image R@1"): 0.80,
        ("toy", UNSEEN, ACCURACY): 0.85,
    }
)


@dataclass(frozen=True)
class Examples:
    """n images and m captions to judge a model with; caption k is about image ``image_of[k]``."""

    images: Float[Tensor, "n ..."]  # what the image encoder reads
    texts: Int[Tensor, "m t"]  # token ids
    image_of: Int[Tensor, " m"]
    captions: tuple[str, ...]
    names: tuple[str, ...]  # of the images


def embed(model: CLIP, examples: Examples) -> tuple[Float[Tensor, "n d"], Float[Tensor, "m d"]]:
    """The unit vectors of all images and of all captions, on the CPU; in chunks."""
    device = model.log_scale.device
    with torch.no_grad():
        images = torch.cat([model.encode_image(part.to(device)) for part in examples.images.split(CHUNK)])
        texts = torch.cat([model.encode_text(part.to(device)) for part in examples.texts.split(CHUNK)])
    return images.cpu(), texts.cpu()


def recall_at_k(
    similarity: Float[Tensor, "n m"], image_of: Int[Tensor, " m"], ks: Sequence[int] = KS
) -> dict[str, float]:
    """``"image→text R@1"`` and so on: how often a right one is among the k nearest.

    An image with several captions needs one of them; a caption has one image. Ties count against the model: a wrong
    one that is as near as the right one is placed before it.

    Raises:
        ValueError: if a similarity is not finite, or an image has no caption.
    """
    n, m = similarity.shape
    if not similarity.isfinite().all():
        raise ValueError("similarities must be finite numbers: the model's weights or features are not")
    right = image_of == torch.arange(n, device=image_of.device)[:, None]  # (n, m)
    if not right.any(dim=1).all():
        raise ValueError(f"each image must have a caption, image {int(right.any(dim=1).int().argmin())} has none")
    best = similarity.masked_fill(~right, -torch.inf).amax(dim=1)  # (n,): each image's nearest caption of its own
    rank_of_text = ((similarity >= best[:, None]) & ~right).sum(dim=1)  # wrong captions before it
    own = similarity[image_of, torch.arange(m, device=image_of.device)]  # (m,): each caption and its image
    rank_of_image = ((similarity >= own) & ~right).sum(dim=0)  # wrong images before the right one
    return {
        f"{direction} R@{k}": (rank < k).double().mean().item()
        for direction, rank in ((IMAGE_TO_TEXT, rank_of_text), (TEXT_TO_IMAGE, rank_of_image))
        for k in ks
    }


def recall(model: CLIP, examples: Examples) -> dict[str, float]:
    """``recall_at_k`` of a model."""
    images, texts = embed(model, examples)
    return recall_at_k(images @ texts.T, examples.image_of)


def recall_from(seen: Sequence[Hashable], ks: Sequence[int] = KS) -> dict[str, float]:
    """The recall of an encoder that sees only ``seen[i]`` of image i and of its caption, both ways.

    All with the same value are equally near. Their order is random, so that a right one is among the first k of t with
    probability k/t. (With the rule of ``recall_at_k`` for ties it would be 0 where t > k.) Chance sees the same in all
    images.
    """
    times = Counter(seen)
    means = {k: sum(min(1.0, k / times[value]) for value in seen) / len(seen) for k in ks}
    return {f"{direction} R@{k}": means[k] for direction in (IMAGE_TO_TEXT, TEXT_TO_IMAGE) for k in ks}


def chance_recall(image_of: Int[Tensor, " m"], ks: Sequence[int] = KS) -> dict[str, float]:
    """The recall of a random order: image i has c_i of the m captions, and a caption has one of the n images.

    None of c captions is among the first k with probability C(m - c, k) / C(m, k).
    """
    m, counts = len(image_of), image_of.bincount().tolist()
    image_to_text = {
        k: sum(1 - comb(m - c, k) / comb(m, k) for c in counts) / len(counts) if k <= m else 1.0 for k in ks
    }
    text_to_image = {k: min(1.0, k / len(counts)) for k in ks}
    return {f"{IMAGE_TO_TEXT} R@{k}": image_to_text[k] for k in ks} | {
        f"{TEXT_TO_IMAGE} R@{k}": text_to_image[k] for k in ks
    }


def toy_scenes(split: str, seed: int, count: int) -> Iterator[tuple[int, Scene]]:
    """The first ``count`` scenes of two objects whose complete captions state different facts, with their indices."""
    found, index = set(), 0
    while len(found) < count:
        scene = scene_at(split, seed, index, 2)
        facts = tuple(sorted((o.size, o.colour, o.shape) for o in scene.objects))
        if facts not in found:
            found.add(facts)
            yield index, scene
        index += 1


def toy_examples(
    tokenizer: Tokenizer, language: str, split: str, seed: int, count: int, image_size: int, context: int
) -> Examples:
    """The scenes of ``toy_scenes``, each with its complete caption."""
    indices, scenes = zip(*toy_scenes(split, seed, count), strict=True)
    captions = []
    for index, scene in zip(indices, scenes, strict=True):
        rng = Rng(f"clip_mini/judge/{split}/{seed}/{index}")
        captions.append(tell(scene, rng.choice(LANGUAGES[language]), rng, complete=True))
    texts = encode(tokenizer, captions, context)
    names = tuple(f"scene {index}" for index in indices)
    return Examples(draw(scenes, image_size), texts, torch.arange(count), tuple(captions), names)


def toy_baselines(split: str, seed: int, count: int) -> dict[str, dict[str, float]]:
    """Recall by chance, and of encoders that see only the colours or only the shapes of a scene."""
    scenes = [scene for _, scene in toy_scenes(split, seed, count)]
    return {
        "chance": recall_from([None] * count),
        "colours": recall_from([tuple(sorted(o.colour for o in scene.objects)) for scene in scenes]),
        "shapes": recall_from([tuple(sorted(o.shape for o in scene.objects)) for scene in scenes]),
    }


def toy_prompts(language: str, pairs: Sequence[tuple[str, str]] = PAIRS) -> list[list[str]]:
    """For each pair of colour and shape the wordings in which the toy world says that there is such an object."""
    prompts = []
    for colour, shape in pairs:
        fact, name = Exists(Description(None, colour, shape)), f"clip_mini/prompt/{colour}/{shape}"
        drawn = [
            say([fact], one, Rng(f"{name}/{k}")) for one in LANGUAGES[language] for k in range(WORDINGS)
        ]  # fmt: skip
        prompts.append(list(dict.fromkeys(drawn)))
    return prompts


def zero_shot(
    model: CLIP, tokenizer: Tokenizer, language: str, count: int, image_size: int, context: int
) -> dict[str, dict[str, dict[str, float]]]:
    """Accuracy on ``count`` scenes of one object: which of all 48 pairs of colour and shape is it?

    The pairs of the first split are those that training names, the pairs of the second are those that it never names.
    An encoder that sees the colour only guesses the shape, and the other way round. For seen pairs it guesses among
    the 40 that training shows.
    """
    device = model.log_scale.device
    with torch.no_grad():
        classes = class_embeddings(
            model.encode_text, lambda texts: encode(tokenizer, texts, context).to(device), toy_prompts(language)
        )
    rows = {}
    for name, split, possible in ((SEEN, "test", SHOWN), (UNSEEN, "compositional", PAIRS)):
        objects = [scene_at(split, 0, index, 1) for index in range(count)]
        labels = torch.tensor([PAIRS.index((o.colour, o.shape)) for (o,) in (scene.objects for scene in objects)])
        with torch.no_grad():
            images = torch.cat([model.encode_image(part.to(device)) for part in draw(objects, image_size).split(CHUNK)])
            chosen = classify(images, classes, model.log_scale).argmax(dim=1).cpu()
        reached = (chosen == labels).double().mean().item()
        values = {
            "chance": 1 / len(PAIRS),
            "colours": len(COLOURS) / len(possible),  # the mean over the pairs: each colour is right once
            "shapes": len(SHAPES) / len(possible),
            "reached": reached,
        }
        rows[name] = {who: {ACCURACY: value} for who, value in values.items()}
    return rows
