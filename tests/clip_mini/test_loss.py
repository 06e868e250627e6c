"""Equation → function → test (Radford et al. 2021, figure 3; n pairs, similarities S)

S_ij = e^t û_i · v̂_j                              pairwise_similarity    test_similarity_by_hand
∂S/∂t = S                                         pairwise_similarity    test_gradient_by_the_scale
L = Σ_i (-ln P_row,ii - ln P_col,ii) / 2n         contrastive_loss       test_loss_by_hand, test_loss_equals_its_spec
L = ln n at equal similarities                    contrastive_loss       test_equal_similarities_give_ln_n
L ≥ mean of ln c_i, caption i being there c_i×    contrastive_loss       test_equal_captions_bound_the_loss
∂L/∂S = (P_row + P_col - 2I) / 2n                 contrastive_gradient   test_gradient_by_hand
Σ_j ∂L/∂S_ij = (Σ_j P_col,ij - 1) / 2n            contrastive_gradient   test_sums_of_the_gradient
"""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cosine_similarity, cross_entropy

from clip_mini.loss import contrastive_gradient, contrastive_loss, contrastive_loss_spec, pairwise_similarity
from tests.clip_mini.misconceptions import loss as misconceptions
from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_same

BY_HAND = [[math.log(3), 0], [math.log(2), 0]]  # e^S is [[3, 1], [2, 1]]


def float64(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


# ---- the similarity


def check_similarity_by_hand(candidate: Callable) -> None:
    """(3, 4) has length 5, so its direction is (0.6, 0.8). The scale is e^(ln 2) = 2."""
    image, text = float64([[3, 4], [0, 7]]), float64([[1, 0], [0, -5], [8, 6]])
    expected = 2 * float64([[0.6, -0.8, 0.6 * 0.8 + 0.8 * 0.6], [0, -1, 0.6]])
    check_close("S_ij = e^t û_i · v̂_j, images × texts", candidate(image, text, float64(math.log(2))), expected)


def test_similarity_by_hand() -> None:
    check_similarity_by_hand(pairwise_similarity)


def check_lengths_do_not_matter(candidate: Callable, image, text, lengths) -> None:
    """Only directions count: a row times a positive number gives the same similarities."""
    t = float64(0.5)
    what = "S does not depend on the lengths of the rows of u"
    check_close(what, candidate(lengths[:, None] * image, text, t), candidate(image, text, t))


@st.composite
def vectors(draw, count: int = 2):
    """n images and m texts of d dimensions, none of them zero: a zero has no direction."""
    n, m, d = draw(unequal_sizes(3))
    image, text = draw(whole_tensors(n, d)), draw(whole_tensors(m if count == 2 else n, d))
    return image + 0.5, text + 0.5  # halves: a sum of two of them may be zero, a row is not


@given(drawn=vectors(), data=st.data())
def test_lengths_do_not_matter(drawn, data) -> None:
    image, text = drawn
    lengths = data.draw(whole_tensors(len(image))).abs() + 0.25
    check_lengths_do_not_matter(pairwise_similarity, image, text, lengths)


@given(drawn=vectors())
def test_similarity_equals_torchs(drawn) -> None:
    """The reference is torch.nn.functional.cosine_similarity, pair by pair; forward and gradient."""
    check_same(
        "S_ij = e^t cos(u_i, v_j)",
        pairwise_similarity,
        lambda image, text, t: t.exp() * cosine_similarity(image[:, None], text[None], dim=-1),
        *drawn,
        float64(0.7),
    )


@given(drawn=vectors())
def test_equal_vectors_have_the_similarity_of_the_scale(drawn) -> None:
    image, _ = drawn
    t = float64(1.5)
    diagonal = pairwise_similarity(image, 3 * image, t).diagonal()
    check_close("S_ii = e^t where û_i = v̂_i", diagonal, t.exp().expand(len(image)))


@given(drawn=vectors(), data=st.data())
def test_gradient_by_the_scale(drawn, data) -> None:
    """S is e^t times what does not depend on t. So the logarithm makes a step of t a percentage of the scale."""
    image, text = drawn
    t = float64(0.7).requires_grad_()
    similarity = pairwise_similarity(image, text, t)
    cotangent = data.draw(whole_tensors(*similarity.shape))
    (got,) = torch.autograd.grad(similarity, t, cotangent)
    check_close("Σ_ij G_ij ∂S_ij/∂t = Σ_ij G_ij S_ij", got, (cotangent * similarity).sum())


@given(drawn=vectors(), data=st.data())
def test_gradient_turns_and_does_not_stretch(drawn, data) -> None:
    image, text = drawn
    image.requires_grad_()
    similarity = pairwise_similarity(image, text, float64(0.7))
    (slope,) = torch.autograd.grad(similarity, image, data.draw(whole_tensors(*similarity.shape)))
    check_close("∂L/∂u_i · u_i = 0: the length has no effect", (slope * image).sum(dim=1), torch.zeros(len(image)))


# ---- the loss


def check_loss_by_hand(candidate: Callable) -> None:
    """Rows: image 0 finds its text with probability 3/4, image 1 with 1/3. Columns: 3/5 and 1/2."""
    expected = -(math.log(3 / 4) + math.log(1 / 3) + math.log(3 / 5) + math.log(1 / 2)) / 4
    check_close("L, e^S = [[3, 1], [2, 1]], -ln(3/4 · 1/3 · 3/5 · 1/2) / 4", candidate(float64(BY_HAND)), expected)


BOTH = pytest.mark.parametrize(
    "loss", [contrastive_loss, contrastive_loss_spec], ids=lambda function: function.__name__
)


@BOTH
def test_loss_by_hand(loss: Callable) -> None:
    check_loss_by_hand(loss)


def check_loss_equals_its_spec(candidate: Callable, similarity) -> None:
    check_same(f"L in loops, {len(similarity)} pairs", candidate, contrastive_loss_spec, similarity)


SQUARES = st.integers(1, 7).flatmap(lambda n: whole_tensors(n, n))


@given(similarity=SQUARES)
def test_loss_equals_its_spec(similarity) -> None:
    check_loss_equals_its_spec(contrastive_loss, similarity)


@given(drawn=vectors(count=1))
def test_loss_of_vectors_equals_its_spec(drawn) -> None:
    """From the vectors on: the gradients by images, texts and log_scale."""
    losses = (
        lambda image, text, t, loss=loss: loss(pairwise_similarity(image, text, t))
        for loss in (contrastive_loss, contrastive_loss_spec)
    )
    check_same("L of u, v and t in loops", *losses, *drawn, float64(0.7))


@given(similarity=SQUARES)
def test_loss_equals_cross_entropy_on_both_sides(similarity) -> None:
    """The reference is torch.nn.functional.cross_entropy, of the images as classes and of the texts as classes."""

    def reference(similarity):
        labels = torch.arange(len(similarity))
        return (cross_entropy(similarity, labels) + cross_entropy(similarity.mT, labels)) / 2

    for loss in (contrastive_loss, contrastive_loss_spec):
        check_same(f"{loss.__name__} beside cross_entropy", loss, reference, similarity)


def test_loss_equals_that_of_transformers() -> None:
    """The reference is transformers' ``image_text_contrastive_loss``."""
    from lab.peers import import_torchaudio

    import_torchaudio()  # transformers imports it
    from transformers.models.clip.modeling_clip import image_text_contrastive_loss

    for n in (1, 2, 9):
        similarity = 5 * torch.randn(n, n, generator=torch.Generator().manual_seed(n), dtype=torch.float64)
        check_same(f"L beside transformers, {n} pairs", contrastive_loss, image_text_contrastive_loss, similarity)


def check_large_logits(candidate: Callable) -> None:
    """Nothing overflows: image 0 has its own text 2000 below the other one, all the others 1000 below."""
    similarity = float64([[-1000, 1000], [0, -1000]])
    check_close("L, S = ±1000: (2000 + 1000 + 1000 + 2000) / 4", candidate(similarity), 1500)


@BOTH
def test_large_logits_are_finite(loss: Callable) -> None:
    check_large_logits(loss)


def check_equal_similarities(candidate: Callable, n: int, level: float) -> None:
    """All n texts are equally probable. A loss that stays at ln n says: the encoders do not tell pairs apart."""
    check_close(f"L at equal similarities, ln {n}", candidate(torch.full((n, n), level).double()), math.log(n))


@given(n=st.integers(1, 40), level=st.floats(-100, 100, width=16))
def test_equal_similarities_give_ln_n(n: int, level: float) -> None:
    check_equal_similarities(contrastive_loss, n, level)


@given(own=st.floats(-1000, 1000))
def test_a_batch_of_one_has_nothing_to_learn(own: float) -> None:
    similarity = float64([[own]]).requires_grad_()
    loss = contrastive_loss(similarity)
    check_close("L of one pair: its probability among one is 1", loss, 0.0)
    check_close("its gradient", torch.autograd.grad(loss, similarity)[0], float64([[0]]))


def check_invariance(candidate: Callable, similarity, order: list[int]) -> None:
    loss = candidate(similarity)
    check_close("L is the same in another order of the pairs", candidate(similarity[order][:, order]), loss)
    check_close("L(S) = L(Sᵀ): both directions weigh the same", candidate(similarity.T), loss)
    check_close("L(S + constant) = L(S)", candidate(similarity + 3), loss)


@given(similarity=SQUARES, data=st.data())
def test_invariance(similarity, data) -> None:
    check_invariance(contrastive_loss, similarity, data.draw(st.permutations(range(len(similarity)))))


@given(cosines=SQUARES)
def test_at_a_large_scale_only_the_nearest_counts(cosines) -> None:
    r"""L / e^t → the mean of (max_j S_ij - S_ii) and (max_j S_ji - S_ii): 0 if each own one is the nearest."""
    scale = 1e6
    gaps = cosines.amax(dim=1) + cosines.amax(dim=0) - 2 * cosines.diagonal()
    loss = contrastive_loss(scale * cosines)
    check_close("L / e^t for e^t = 10⁶", loss / scale, gaps.mean() / 2, absolute=math.log(8) / scale)
    right = cosines + 9 * torch.eye(len(cosines)).double()  # whole numbers within ±4: the own one is the nearest
    check_close("L → 0 where all are right", contrastive_loss(scale * right), 0.0)


def check_equal_captions(candidate: Callable, similarity, caption_of: list[int]) -> None:
    r"""Texts with the same caption have the same column. So the softmax of row i gives the own text at most 1/c_i. In
    the columns of one caption, the probabilities of the c own images sum to at most 1, and by Jensen the mean of their
    -ln p is at least ln c. Both directions: :math:`L \ge \frac{1}{n} \sum_i \ln c_i`, for one pair of duplicates
    (2/n) ln 2. A model that is always right reaches it: the others with this caption are false negatives.
    """
    counts = [caption_of.count(caption) for caption in caption_of]
    bound = sum(map(math.log, counts)) / len(counts)
    loss = candidate(similarity[:, caption_of]).item()
    assert loss >= bound - 1e-12, f"L ≥ Σ ln c_i / n for captions {caption_of}: got {loss}, the bound is {bound}"
    same = 100 * (torch.tensor(caption_of)[:, None] == torch.tensor(caption_of)).double()
    check_close(f"the bound is reached, captions {caption_of}", candidate(same), bound)


@given(data=st.data(), n=st.integers(1, 6))
def test_equal_captions_bound_the_loss(data, n: int) -> None:
    caption_of = data.draw(st.lists(st.integers(0, n - 1), min_size=n, max_size=n))
    check_equal_captions(contrastive_loss, data.draw(whole_tensors(n, n)), caption_of)


# ---- its gradient


def check_gradient_by_hand(candidate: Callable) -> None:
    """e^S = [[3, 1], [2, 1]]: P_row = [[3/4, 1/4], [2/3, 1/3]], P_col = [[3/5, 1/2], [2/5, 1/2]]."""
    expected = float64([[3 / 4 + 3 / 5 - 2, 1 / 4 + 1 / 2], [2 / 3 + 2 / 5, 1 / 3 + 1 / 2 - 2]]) / 4
    check_close("∂L/∂S = (P_row + P_col - 2I) / 2n", candidate(float64(BY_HAND)), expected)


def test_gradient_by_hand() -> None:
    check_gradient_by_hand(contrastive_gradient)


@given(similarity=SQUARES)
def test_closed_form_gradient(similarity) -> None:
    similarity.requires_grad_()
    (expected,) = torch.autograd.grad(contrastive_loss(similarity), similarity)
    check_close("∂L/∂S = (P_row + P_col - 2I) / 2n", contrastive_gradient(similarity.detach()), expected)


@given(similarity=SQUARES)
def test_sums_of_the_gradient(similarity) -> None:
    """Each row of P_row sums to 1, and so does each column of P_col. What is left of row i says how often the texts
    choose image i, compared with once: an image that is near to many texts is pushed away, on the whole. All sums
    together are 0."""
    n, gradient = len(similarity), contrastive_gradient(similarity)
    chosen_image, chosen_text = similarity.softmax(dim=0).sum(dim=1), similarity.softmax(dim=1).sum(dim=0)
    check_close("Σ_j ∂L/∂S_ij = (Σ_j P_col,ij - 1) / 2n", gradient.sum(dim=1), (chosen_image - 1) / (2 * n))
    check_close("Σ_i ∂L/∂S_ij = (Σ_i P_row,ij - 1) / 2n", gradient.sum(dim=0), (chosen_text - 1) / (2 * n))
    check_close("Σ_ij ∂L/∂S_ij = 0", gradient.sum(), 0.0)
    assert (gradient.diagonal() <= 0).all(), "a pair is pulled together"


# ---- misconceptions

SCORES = float64([[3, -1, 0], [0, 2, -2], [1, 4, 1]])
CHECKS = {
    "by hand": check_loss_by_hand,
    "spec": lambda wrong: check_loss_equals_its_spec(wrong, SCORES),
    "large logits": check_large_logits,
    "ln n": lambda wrong: check_equal_similarities(wrong, 5, 0.5),
    "invariance": lambda wrong: check_invariance(wrong, SCORES, [2, 0, 1]),
    "equal captions": lambda wrong: check_equal_captions(wrong, SCORES, [0, 1, 1]),
}
CATCHES = {
    "one_direction_only": ["by hand", "spec", "invariance"],
    "columns_twice": ["by hand", "spec", "invariance"],
    "sum_of_both": ["by hand", "spec", "large logits", "ln n", "equal captions"],
    "sum_over_the_batch": ["by hand", "spec", "large logits", "ln n", "equal captions"],
    "softmax_twice": ["by hand", "spec", "large logits", "equal captions"],  # it starts at ln n, and stays near it
    "one_softmax_over_all_pairs": ["by hand", "spec", "large logits", "ln n", "equal captions"],
    "without_the_own_pair": ["by hand", "spec", "ln n", "equal captions"],
    "probabilities_before_the_logarithm": ["large logits"],
}


def test_every_misconception_is_judged() -> None:
    assert list(CATCHES) == [wrong.__name__ for wrong in misconceptions.LOSSES]


@pytest.mark.parametrize(
    ("wrong", "check"),
    [(wrong, check) for wrong in misconceptions.LOSSES for check in CATCHES[wrong.__name__]],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_misconception_of_the_loss_is_caught(wrong: Callable, check: str) -> None:
    """By each of these checks alone."""
    with pytest.raises(AssertionError):
        CHECKS[check](wrong)


@pytest.mark.parametrize("wrong", misconceptions.SIMILARITIES, ids=lambda function: function.__name__)
def test_misconception_of_the_similarity_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_similarity_by_hand(wrong)


@pytest.mark.parametrize("wrong", misconceptions.GRADIENTS, ids=lambda function: function.__name__)
def test_misconception_of_the_gradient_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_gradient_by_hand(wrong)
