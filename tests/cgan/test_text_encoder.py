"""Equation → what computes it → test

φ(t), word by word                                        SentenceEncoder       test_encoder_word_by_word
padding and neighbours change nothing                     SentenceEncoder       test_a_sentence_is_its_own
the order of the words counts                             SentenceEncoder       test_order_counts
φ(v), three convolutions                                  PictureEncoder        test_picture_encoder_by_functions
equation 2, a hinge for the 0-1 loss, in both directions  joint_embedding_loss  test_loss_in_loops, test_loss_by_hand
true pairs off the diagonal cost nothing                  joint_embedding_loss  test_true_pairs_are_no_mistake
it learns; afterwards it is frozen                        both                  test_learns_three_words, test_frozen
"""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from cgan.commands.sentences import TextGAN, build_game
from cgan.extensions.pretraining import EncoderConfig, Encoders, build_encoder_optimizer, train_encoders
from cgan.extensions.projection import TextConfig, build_text_gan, train_text_with_penalty
from cgan.text_encoder import PAD, PictureEncoder, SentenceEncoder, joint_embedding_loss
from cgan.train import build_optimizers
from tests.cgan.misconceptions import text as misconceptions
from tests.teach import check_close, check_equal, check_same


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda one: one.__name__)


def made(kind: type[nn.Module], words: int = 9, size: int = 4) -> nn.Module:
    torch.manual_seed(0)
    model = kind(words, size).double().eval()
    model.norm.running_mean.normal_()
    model.norm.running_var.uniform_(0.5, 2)
    return model


SENTENCES = [[3, 7, 5, 1], [4], [7, 3, 5, 1], [2, 8]]


def padded(rows: list[list[int]], width: int = 6) -> torch.Tensor:
    return torch.tensor([row + [PAD] * (width - len(row)) for row in rows])


def encoder_reference(model: SentenceEncoder, row: list[int]) -> torch.Tensor:
    """A GRU by its equations: r and u are gates, n the new content (torch's order of the rows of its weights)."""
    w, v, b, c = (getattr(model.read, f"{name}_l0") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    h = torch.zeros(w.shape[0] // 3).double()
    for word in row:
        x_r, x_u, x_n = (w @ model.embed.weight[word] + b).chunk(3)
        h_r, h_u, h_n = (v @ h + c).chunk(3)
        r, u = (x_r + h_r).sigmoid(), (x_u + h_u).sigmoid()
        h = u * h + (1 - u) * (x_n + r * h_n).tanh()
    out = model.output.weight @ h + model.output.bias
    return (out - model.norm.running_mean) / (model.norm.running_var + 1e-5).sqrt()


def check_encoder(candidate: Callable) -> None:
    """``candidate(encoder, ids)`` against the GRU's equations, one sentence after the other."""
    model = made(SentenceEncoder)
    expected = torch.stack([encoder_reference(model, row) for row in SENTENCES])
    check_close("φ(t) at (sentence, number)", candidate(model, padded(SENTENCES)), expected)


def test_encoder_word_by_word() -> None:
    check_encoder(lambda encoder, ids: encoder(ids))


@each(misconceptions.ENCODERS)
def test_wrong_encoder_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_encoder(wrong)


def test_a_sentence_is_its_own() -> None:
    model = made(SentenceEncoder)
    together = model(padded(SENTENCES))
    alone = torch.cat([model(torch.tensor([row])) for row in SENTENCES])
    check_close("φ(t) beside longer sentences", together, alone)


def test_order_counts() -> None:
    vectors = made(SentenceEncoder)(padded(SENTENCES))
    assert (vectors[0] - vectors[2]).abs().max() > 1e-3


def test_the_numbers_are_normalised_while_it_learns() -> None:
    vectors = made(SentenceEncoder).train()(torch.randint(1, 9, (50, 5)))
    check_close("mean", vectors.mean(dim=0), torch.zeros(4), 0, 1e-9)
    check_close("variance", vectors.var(dim=0, correction=0), torch.ones(4), 0, 1e-2)


def loss_in_loops(scores: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    n = len(scores)
    total = 0 * scores.sum()
    for k in range(n):
        sentences = [j for j in range(n) if not true[k, j]]
        pictures = [i for i in range(n) if not true[i, k]]
        for j in sentences:
            total = total + (1 + scores[k, j] - scores[k, k]).clamp(min=0) / len(sentences)
        for i in pictures:
            total = total + (1 + scores[i, k] - scores[k, k]).clamp(min=0) / len(pictures)
    return total / n


def check_loss(candidate, n: int, seed: int) -> None:
    random = torch.Generator().manual_seed(seed)
    scores = torch.randn(n, n, generator=random).double()
    true = (torch.rand(n, n, generator=random) < 0.3) | torch.eye(n).bool()
    check_same(
        "equation 2 with a hinge", lambda s: candidate(s, true), lambda s: loss_in_loops(s, true), scores
    )  # fmt: skip


@given(n=st.integers(2, 7), seed=st.integers(0, 10_000))
def test_loss_in_loops(n: int, seed: int) -> None:
    check_loss(joint_embedding_loss, n, seed)


@each(misconceptions.EMBEDDING_LOSSES)
def test_wrong_loss_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_loss(wrong, 5, 0)


def test_loss_by_hand() -> None:
    """Scores all equal: each false pair costs its margin, 1, in both directions. Own pairs ahead by 1: nothing."""
    true = torch.eye(3).bool()
    check_close("nothing learned", joint_embedding_loss(torch.zeros(3, 3).double(), true), 2.0)
    check_close("everything learned", joint_embedding_loss(torch.eye(3).double(), true), 0.0)


def test_true_pairs_are_no_mistake() -> None:
    """Sentence 1 is true of picture 0, too. Its score there may be any."""
    true = torch.tensor([[True, True], [False, True]])
    for score in (-5.0, 0.0, 50.0):
        scores = torch.tensor([[1.0, score], [0.0, 1.0]]).double()
        check_close("equation 2", joint_embedding_loss(scores, true), 0.0)


def colours(step: int):
    """Pictures of one colour, and a sentence that names it: word 1, 2 or 3, after word 4."""
    words = torch.randint(3, (16,), generator=torch.Generator().manual_seed(step))
    images = torch.eye(3)[words][:, :, None, None].expand(-1, -1, 32, 32) * 2 - 1
    ids = torch.stack([torch.full((16,), 4), words + 1], dim=1)
    return images, ids, words[:, None] == words[None], ids.roll(1, dims=0)


def test_learns_three_words() -> None:
    torch.manual_seed(0)
    config, losses = EncoderConfig(steps=60, size=8, channels=4, learning_rate=0.02), []
    encoders = Encoders(5, config)
    log = lambda step, loss: losses.append(loss)  # noqa: E731
    train_encoders(encoders, *build_encoder_optimizer(encoders, config), colours, range(60), log)
    assert losses[0] == pytest.approx(2, abs=0.7), "nothing learned: a margin of 1 in each direction"
    assert losses[-1] < 0.05
    images, ids, true, _ = colours(999)
    encoders.eval()
    best = (encoders.picture(images) @ encoders.sentence(ids).T).argmax(dim=1)
    assert true[torch.arange(16), best].all(), "each picture's best sentence is true of it; chance is a third"


def test_picture_encoder_by_functions() -> None:
    """32×32 to 16×16 to 8×8 to 4×4 places: 4×4 kernels, two pixels apart, one pixel of zeros around the picture."""
    torch.manual_seed(0)
    model, images = PictureEncoder(3, 5).double(), torch.randn(2, 3, 32, 32, dtype=torch.float64)
    h = images
    for layer, channels, side in ((model.first, 3, 16), (model.second, 6, 8), (model.third, 12, 4)):
        h = torch.nn.functional.conv2d(h, layer.weight, layer.bias, stride=2, padding=1).clamp(min=0)
        assert h.shape == (2, channels, side, side)
    check_close("φ(v)", model(images), h.flatten(1) @ model.output.weight.T + model.output.bias)


def test_picture_encoder_sees_every_pixel() -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 3, 32, 32, requires_grad=True)
    PictureEncoder(8, 5)(images)[0].square().sum().backward()
    assert (images.grad[0].abs().sum(dim=0) > 0).all()
    check_equal("the gradient of the other picture", images.grad[1], torch.zeros_like(images[1]))


def frozen(gan: TextGAN) -> None:
    """A few steps change the players, and not a bit of φ."""
    config, ids = TextConfig(steps=3, batch=4, penalty=0.1), padded(SENTENCES)
    before = {name: value.clone() for name, value in gan.encoder.state_dict().items()}
    generator = [one.clone() for one in gan.generator.parameters()]

    def batch_at(step: int):
        return torch.randn(4, 3, 32, 32), gan.encoder(ids), gan.encoder(ids.flip(0)), torch.randn(4, config.noise)

    gan.train()
    train_text_with_penalty(gan, *build_optimizers(gan, config), batch_at, range(3), lambda step, **losses: None)
    assert any(not torch.equal(a, b) for a, b in zip(generator, gan.generator.parameters(), strict=True))
    for name, value in gan.encoder.state_dict().items():
        check_equal(f"φ is not frozen, {name}", value, before[name])


def test_frozen() -> None:
    torch.manual_seed(0)
    frozen(build_game("close", TextConfig(), 9))


class NotFrozen(TextGAN):
    """Tempting because ``train()`` is called on everything. Batch normalisation then changes φ in each batch."""

    def train(self, mode: bool = True):
        return nn.Module.train(self, mode)


def test_an_encoder_that_is_not_frozen_is_caught() -> None:
    torch.manual_seed(0)
    players = build_text_gan(TextConfig(), 64)
    with pytest.raises(AssertionError, match="φ is not frozen"):
        frozen(NotFrozen(players.generator, players.discriminator, SentenceEncoder(9, 64)))
