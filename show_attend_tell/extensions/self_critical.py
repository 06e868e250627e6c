r"""Self-critical training (Rennie et al. 2017, arXiv 1612.00563, sections 3 and 4): the metric is the reward.

The usual loss (equation 14 of Xu et al.) asks for the next *true* word. But captions are judged by a metric such as
CIDEr, and the model then reads its own words. So after the usual training, the model draws captions :math:`w^s`, each
word with its probability. The reward r of a caption is its CIDEr-D, plus a weight times its BLEU-1, the share of its
words that are in a reference. Captions with more reward than the baseline become more probable. This is REINFORCE, as
in hard attention. There, places are drawn; here, words.

The baseline b says which reward is usual for this image. In the paper it is the reward of the model's own greedy
caption. Here k captions of each image are drawn, and b is the mean reward of the k − 1 **others** (Luo 2020, arXiv
2003.09971). It needs no greedy caption. A caption's own reward must not be in its baseline: the estimator would be too
small by the factor (k − 1) / k.

The expectation of the estimator is the gradient of the expected reward. Tests show it by enumerating all captions.

As in the paper (supplement D), <end> is a word of CIDEr-D. Without it, captions end in the middle ("a man in a").

What differs from the paper, besides the baseline: its reward is CIDEr-D alone, which gives nearly no weight to words
that many images have. BLEU-1 has no brevity penalty here: only CIDEr-D works against short captions. The learning rate
has a warmup and falls to zero. Drawn captions are cut after 16 words.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler

from show_attend_tell.decode import END, START, Decoder, log_probabilities, take
from show_attend_tell.extensions.fast import quick, quick_decoder
from show_attend_tell.extensions.metrics.bleu import clipped_matches
from show_attend_tell.extensions.metrics.cider import FACTOR, Vector, documents, similarity, tf_idf
from show_attend_tell.extensions.metrics.words import Words
from show_attend_tell.loss import PAD
from show_attend_tell.model import Captioner

END_WORD = "<end>"
LONGEST = 16  # words of a drawn caption, <end> included
WARMUP = 20  # steps until the highest learning rate


class Reward:
    """CIDEr-D of one caption, from 0 to 10, plus ``precision_weight`` times its BLEU-1 without brevity penalty.

    The rarity of n-grams is counted once, over all images of the training split.

    Args:
        references: the captions of each image, as lists of words, without <end>.
        precision_weight: with 0, the reward is CIDEr-D.
    """

    def __init__(self, references: Mapping[str, Sequence[Words]], precision_weight: float = 0.0) -> None:
        self.references, self.precision_weight = references, precision_weight
        ended = {name: [[*words, END_WORD] for words in captions] for name, captions in references.items()}
        self.images, self.images_with = len(ended), documents(list(ended.values()))
        self.vectors = {name: [self.vector(words) for words in captions] for name, captions in ended.items()}

    def vector(self, words: Words) -> Vector:
        return tf_idf(words, self.images_with, self.images)

    def __call__(self, name: str, words: Words) -> float:
        """The reward of a caption of the image ``name``. Its last word is <end>, if the caption has ended."""
        caption, references = self.vector(words), self.vectors[name]
        cider = FACTOR * sum(similarity(caption, reference) for reference in references) / len(references)
        written = [word for word in words if word != END_WORD]
        matches, total = clipped_matches(written, self.references[name], 1)
        return cider + self.precision_weight * matches / max(1, total)


@torch.no_grad()
def draw_captions(
    decoder: Decoder, annotations: Float[Tensor, "n *image"], several: int, longest: int
) -> Int[Tensor, "n several t"]:
    """``several`` captions of each image, each word drawn with its probability: <start>, words, <end>, padding."""
    projected = decoder.project(annotations)
    state = take(decoder.start(projected), (slice(None), None))  # (n, 1, H)
    state = type(state)(*(part.expand(-1, several, -1) for part in state))
    projected = projected.shared()
    written = [torch.full((len(annotations), several), START, device=annotations.device)]
    runs = torch.ones_like(written[0], dtype=torch.bool)
    for _ in range(longest):
        logits, state, _ = decoder.step(written[-1], state, projected)  # (n, several, words)
        p = log_probabilities(logits).exp().flatten(0, 1)  # multinomial divides by the sum over what may be written
        words = torch.multinomial(p, 1).view(len(annotations), several)
        written.append(words.where(runs, PAD))
        runs = runs & (words != END)
        if not runs.any():
            break
    return torch.stack(written, dim=-1)


def advantages(rewards: Float[Tensor, "n k"]) -> Float[Tensor, "n k"]:
    r"""Luo 2020: :math:`r_i - b_i`, :math:`b_i = \frac{1}{k-1} \sum_{j \ne i} r_j`, within each image."""
    others = rewards.sum(dim=1, keepdim=True) - rewards
    return rewards - others / (rewards.shape[1] - 1)


def self_critical_loss(
    logits: Float[Tensor, "*n t words"], targets: Int[Tensor, "*n t"], advantage: Float[Tensor, "*n"]
) -> Float[Tensor, ""]:
    r"""Equation 7: its gradient is :math:`-(r(w^s) - b)\, \nabla \log p(w^s)`, the mean over the captions. Its
    expectation is equation 5.

    Args:
        advantage: :math:`r(w^s) - b`, one number for each caption.
    """
    log_p = log_probabilities(logits).log_softmax(dim=-1)  # as drawn: <unknown> and the like have no probability
    log_p = log_p.gather(-1, targets[..., None])[..., 0].masked_fill(targets == PAD, 0)  # (*n, t)
    return -(advantage * log_p.sum(dim=-1)).mean()


def build_self_critical_optimizer(model: nn.Module, steps: int, rate: float) -> tuple[Optimizer, LRScheduler]:
    """Adam, and its learning rate: linear warmup times cosine decay to zero."""
    optimizer = torch.optim.Adam(model.parameters(), lr=rate, betas=(0.9, 0.98))
    return optimizer, LambdaLR(
        optimizer, lambda step: min(1, (step + 1) / WARMUP) * (1 + math.cos(math.pi * step / max(1, steps))) / 2
    )


def train_self_critically(
    model: Captioner,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable[[int], tuple[Sequence[str], Float[Tensor, "n *image"]]],
    words_of: Callable[[Iterable[int]], list[str]],
    reward: Callable[[str, Words], float],
    steps: Iterable[int],
    log: Callable[..., None],
    several: int,
    longest: int = LONGEST,
) -> None:
    """The loop. ``batch_at`` gives the names of images and their annotations; ``words_of`` has <end> as a word.

    Without dropout, the loss has the probabilities that the captions were drawn with.
    """
    model.eval()
    for step in steps:
        names, annotations = batch_at(step)  # the same step gives the same batch in every run
        captions = draw_captions(quick_decoder(model), annotations, several, longest)  # (n, several, t)
        rewards = annotations.new_tensor(
            [[reward(name, words_of(ids)) for ids in some] for name, some in zip(names, captions.tolist(), strict=True)]
        )  # (n, several)
        logits, _ = quick(model)(annotations, captions)
        loss = self_critical_loss(logits, captions[..., 1:], advantages(rewards))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item(), reward=rewards.mean().item())
