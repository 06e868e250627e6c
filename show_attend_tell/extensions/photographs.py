r"""The decoder for photographs: what it needs beside the paper's model when a data set is small.

``PhotoEncoder`` stands between a frozen network and the decoder: :math:`a_i = \mathrm{ReLU}(W\, \mathrm{norm}(f_i) +
b)`. It learns with the decoder. Two reasons:

- EfficientNet's features have 1,280 channels at each place. With 512 the LSTM's step and the context are cheaper.
- Dropout on the annotations, on the words' vectors and before the last layer keeps the model from learning the 6,000
  photographs of Flickr8k by heart. The paper has dropout too, and stops the training early (section 4.3).

``train_on_photographs`` is the core's loop with label smoothing (Szegedy et al. 2016, arXiv 1512.00567, section 7).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated

from annotated_types import Ge, Gt, Lt
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, dropout
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from show_attend_tell.loss import PAD, doubly_stochastic
from show_attend_tell.model import Captioner
from show_attend_tell.train import Config, Positive

Share = Annotated[float, Ge(0), Lt(1)]


@dataclass(frozen=True)
class PhotoConfig(Config):
    """Everything that a training on photographs depends on, except its data. A batch has captions of one length."""

    steps: Positive = 235 * 6  # batches; 235 are an epoch of Flickr8k
    images: Positive = 128  # in a batch
    captions: Positive = 1  # of each image of a batch
    annotation: Positive = 512  # dimensions of an annotation vector, made from the frozen network's
    embedding: Positive = 512
    hidden: Positive = 512
    attention_hidden: Positive = 256
    dropout: Share = 0.3
    annotation_dropout: Share = 0.3  # share of an annotation's entries that are 0 in training
    embedding_dropout: Share = 0.3  # the same of a word's vector
    smoothing: Share = 0.1  # of each target is spread over all words
    learning_rate: Annotated[float, Gt(0)] = 1e-3
    warmup: Positive = 200
    least: Positive = 5  # a word that comes less often in the training captions is <unknown>
    views: Positive = 4  # of each training image: the whole, parts of it, and mirror images of parts
    self_critical_steps: Annotated[int, Ge(0)] = 600  # batches after the others, which train for a reward
    self_critical_images: Positive = 32  # in such a batch
    self_critical_rate: Annotated[float, Gt(0)] = 7e-5  # learning rate of self-critical steps
    drawn_captions: Annotated[int, Ge(2)] = 5  # of each image in such a batch
    precision_weight: Annotated[float, Ge(0)] = 0.4  # weight of BLEU-1 in the reward, beside CIDEr-D
    beam: Positive = 5  # width of the search
    length_penalty: Annotated[float, Ge(0)] = 0.85  # α of the search


PHOTO_CONFIGS = MappingProxyType(
    {"flickr8k": PhotoConfig(), "coco": PhotoConfig(steps=60_000, views=1, self_critical_steps=0)}
)


class PhotoEncoder(nn.Module):
    """From a frozen network's features to annotation vectors, at each place by itself.

    Args:
        channels: of the frozen network.
        annotation: D.
        dropout: share of the entries that are set to 0 in training.
    """

    def __init__(self, channels: int, annotation: int, dropout: float) -> None:
        super().__init__()
        self.annotation = annotation
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)  # ``reduce`` has a weight and a bias
        self.reduce = nn.Linear(channels, annotation)
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Float[Tensor, "n L channels"]) -> Float[Tensor, "n L {self.annotation}"]:
        return self.dropout(self.reduce(self.norm(features)).relu())


class EmbeddingWithDropout(nn.Embedding):
    """The words' vectors E; in training, a share of their entries is set to 0."""

    def __init__(self, vocabulary_size: int, embedding: int, share: float) -> None:
        super().__init__(vocabulary_size, embedding)
        self.share = share

    def forward(self, ids: Int[Tensor, "*n"]) -> Float[Tensor, "*n {self.embedding_dim}"]:
        return dropout(super().forward(ids), self.share, self.training)


def build_for_photographs(config: PhotoConfig, vocabulary_size: int, channels: int) -> Captioner:
    """The model of a configuration, for ``vocabulary_size`` token ids and a frozen network with ``channels``."""
    model = Captioner(
        vocabulary_size,
        config.annotation,
        config.embedding,
        config.hidden,
        config.attention_hidden if config.attention == "soft" else None,
        config.dropout,
        PhotoEncoder(channels, config.annotation, config.annotation_dropout),
    )
    model.embed = EmbeddingWithDropout(vocabulary_size, config.embedding, config.embedding_dropout)
    return model


def smoothed_loss(
    logits: Float[Tensor, "*n t words"], targets: Int[Tensor, "*n t"], smoothing: float
) -> Float[Tensor, ""]:
    """``caption_loss`` with the share ``smoothing`` of each target spread over all words, in nats per word."""
    return cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=PAD, label_smoothing=smoothing)


def train_on_photographs(
    model: nn.Module,
    optimizer: Optimizer,
    scheduler: LRScheduler,
    batch_at: Callable,
    steps: Iterable[int],
    log: Callable[..., None],
    penalty_weight: float = 0.0,
    smoothing: float = 0.1,
) -> None:
    """The loop of ``train``, with ``smoothed_loss``."""
    for step in steps:
        annotations, captions = batch_at(step)  # the same step gives the same batch in every run
        logits, weights = model(annotations, captions)  # (n, t-1, words) and (n, t-1, L)
        targets = captions[..., 1:]
        lengths = (targets != PAD).sum(dim=-1)
        penalty = doubly_stochastic(weights, lengths).sum() / lengths.sum()
        loss = smoothed_loss(logits, targets, smoothing) + penalty_weight * penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        log(step, loss=loss.item())
