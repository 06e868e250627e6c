"""Equation → function → test (SigLIP, DeViSE, Kiros et al., VSE++, Salvador et al.; n pairs, cosines S)

-Σ_ij ln σ(z_ij (e^t' S_ij + b)) / n        sigmoid_loss            test_sigmoid_by_hand, test_loss_equals_its_spec
∂L/∂S_ij = -e^t' z_ij σ(-z_ij (…)) / n      sigmoid_loss            test_gradient_of_the_sigmoid_loss
∂L/∂b = 0 at S = 0, b = -ln(n - 1)          sigmoid_loss            test_best_bias_is_minus_ln_of_the_negatives
Σ_j max(0, m - S_ii + S_ij)                 devise_loss             test_ranking_by_hand
both directions                             ranking_loss            test_ranking_by_hand
m (n - 1), 2 m (n - 1), 2 m at equal S      all three               test_equal_similarities
max_j in the place of Σ_j                   hardest_negative_loss   test_sharp_softmax_is_the_hardest_negative
1 - S_ii, max(0, S_ij - α)                  cosine_loss             test_cosine_by_hand
-ln p(c_i) of both sides                    semantic_loss           test_semantic_by_hand
"""

import math
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import (
    cosine_embedding_loss,
    cosine_similarity,
    cross_entropy,
    margin_ranking_loss,
    multi_margin_loss,
    normalize,
)

from clip_mini.extensions import relatives
from clip_mini.extensions.relatives import (
    cosine_loss,
    devise_loss,
    hardest_negative_loss,
    ranking_loss,
    semantic_loss,
    sigmoid_loss,
)
from clip_mini.loss import contrastive_loss
from tests.clip_mini.misconceptions import relatives as misconceptions
from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_same

MARGIN = 0.137  # no cosine of vectors of small whole numbers is equal to it: there, the hinge has no gradient


def float64(values) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


SCORES = float64([[3, 4, 1], [2, 0, 0], [1, 5, 2]])
RANKINGS = (devise_loss, ranking_loss, hardest_negative_loss)
OF_SIMILARITY: dict[Callable, tuple] = {  # each loss of a similarity, with its other arguments
    sigmoid_loss: (float64(0.5), float64(-1.5)),
    **dict.fromkeys(RANKINGS, (MARGIN,)),
    cosine_loss: (MARGIN, 0.2),
}
of_similarity = pytest.mark.parametrize("loss", OF_SIMILARITY, ids=lambda function: function.__name__)


# ---- SigLIP


def check_sigmoid_by_hand(candidate: Callable) -> None:
    """σ(ln 3) = 3/4, σ(0) = 1/2. The pairs on the diagonal count as σ, the others as 1 - σ."""
    similarity, log_scale, bias = float64([[math.log(3), 0], [math.log(3), 0]]), float64(0.0), float64(0.0)
    what = "algorithm 1, S = ((ln 3, 0), (ln 3, 0)), t' = b = 0: -(ln 3/4 + ln 1/2 + ln 1/4 + ln 1/2) / 2"
    check_close(what, candidate(similarity, log_scale, bias), math.log(64 / 3) / 2)
    what = "algorithm 1, one pair, S = ln 3, t' = ln 2, b = -ln 3: 2 ln 3 - ln 3 = ln 3, -ln σ(ln 3)"
    check_close(what, candidate(float64([[math.log(3)]]), float64(math.log(2)), float64(-math.log(3))), math.log(4 / 3))


def check_sigmoid_at_step_0(candidate: Callable) -> None:
    """All cosines 0, t' = ln 10, b = -10: each of the n pairs costs ln(1 + e^10), each other one ln(1 + e^-10).

    So the loss is 10 + n ln(1 + e^-10), about 10 + n / 22,000.
    """
    for n in (2, 256):
        what = f"algorithm 1 with its first scale and bias, {n} pairs, all cosines 0: 10 + n ln(1 + e^-10)"
        got = candidate(torch.zeros(n, n, dtype=torch.float64), float64(math.log(10)), float64(-10.0))
        check_close(what, got, 10 + n * math.log1p(math.exp(-10)))


def check_sigmoid_gradient(candidate: Callable, similarity, log_scale, bias) -> None:
    """Pairs are pulled together by 1 - σ, all others are pushed apart by σ."""
    similarity = similarity.clone().requires_grad_()
    (got,) = torch.autograd.grad(candidate(similarity, log_scale, bias), similarity)
    n = len(similarity)
    probability = (log_scale.exp() * similarity.detach() + bias).sigmoid()
    expected = log_scale.exp() * (probability - torch.eye(n)) / n
    check_close("∂(algorithm 1)/∂S_ij = e^t' (σ(logit) - [i = j]) / n", got, expected)


def check_best_bias(candidate: Callable, n: int) -> None:
    """With all cosines 0, the best "yes" is as frequent as pairs are: σ(b) = 1/n, which is b = -ln(n - 1).

    So b = -10 is the best one for n = e^10 + 1, about 22,000 pairs: the batches of the paper.
    """
    bias = float64(-math.log(n - 1)).requires_grad_()
    loss = candidate(torch.zeros(n, n, dtype=torch.float64), float64(math.log(10)), bias)
    (got,) = torch.autograd.grad(loss, bias, allow_unused=True, materialize_grads=True)
    check_close(f"∂(algorithm 1)/∂b at S = 0, b = -ln(n - 1), n = {n}", got, 0.0)
    what = f"algorithm 1 there, n = {n}: n times the entropy of a coin with p = 1/n"
    check_close(what, loss, math.log(n) + (n - 1) * math.log(n / (n - 1)))


def check_sigmoid_of_large_logits(candidate: Callable) -> None:
    similarity = float64([[-1, 1], [1, 1]]).requires_grad_()
    loss = candidate(similarity, float64(math.log(1000)), float64(0.0))
    check_close("algorithm 1, logits ±1000: (1000 + 1000 + 1000 + 0) / 2", loss, 1500.0)
    (got,) = torch.autograd.grad(loss, similarity)
    check_close("algorithm 1, logits ±1000, gradient", got, float64([[-500, 500], [500, 0]]))


def check_sigmoid_equals_spec(candidate: Callable, similarity, log_scale, bias) -> None:
    what = f"algorithm 1 in loops, {len(similarity)} pairs"
    check_same(what, candidate, relatives.sigmoid_loss_spec, similarity, log_scale, bias)


# ---- rankings


def check_devise_by_hand(candidate: Callable) -> None:
    """Margin 1. Image 0 has S_00 = 3: text 1 is ahead by 1 and costs 2, text 2 is behind by 2 and costs nothing.
    Image 1 has S_11 = 0: 3 and 1. Image 2 has S_22 = 2: text 0 is behind by just the margin, text 1 costs 4."""
    check_close("DeViSE's equation 1, margin 1: (2 + 4 + 4) / 3", candidate(SCORES, 1.0), 10 / 3)


def check_ranking_by_hand(candidate: Callable) -> None:
    """Beside the rows' 10/3, the columns: text 1 has S_11 = 0, and its wrong images cost 5 and 6. All others are
    behind by the margin."""
    check_close("Kiros et al., margin 1: (2 + 4 + 4) / 3 + (0 + 11 + 0) / 3", candidate(SCORES, 1.0), 7.0)


def check_hardest_by_hand(candidate: Callable) -> None:
    """The largest of each row: 2, 3, 4; of each column: 0, 6, 0."""
    check_close("VSE++, margin 1: (2 + 3 + 4) / 3 + (0 + 6 + 0) / 3", candidate(SCORES, 1.0), 5.0)


def check_equal_similarities(candidate: Callable, right: Callable, n: int) -> None:
    """All cosines are equal: each wrong one costs the margin."""
    known = {
        devise_loss: ("m (n - 1)", 0.3 * (n - 1)),
        ranking_loss: ("2 m (n - 1)", 0.6 * (n - 1)),
        hardest_negative_loss: ("2 m", 0.6),
    }
    formula, expected = known[right]
    similarity = torch.full((n, n), 0.25, dtype=torch.float64)
    what = f"{right.__name__}, {n} pairs, all cosines equal, margin 0.3: {formula}"
    check_close(what, candidate(similarity, 0.3), expected)


def check_nothing_to_learn(candidate: Callable, right: Callable) -> None:
    """Every right cosine is ahead by more than the margin: the loss is 0, and so is its gradient."""
    similarity = float64([[0.9, 0.2, -0.5], [0.1, 0.8, 0.3], [0.0, -0.9, 0.7]]).requires_grad_()
    loss = candidate(similarity, 0.3)
    (got,) = torch.autograd.grad(loss, similarity)
    check_close(f"{right.__name__} where all are ahead by the margin", loss, 0.0)
    check_close(f"the gradient of {right.__name__} there", got, torch.zeros(3, 3))


def check_ranking_equals_spec(candidate: Callable, right: Callable, similarity) -> None:
    spec = getattr(relatives, f"{right.__name__}_spec")
    check_same(f"{right.__name__} in loops, {len(similarity)} pairs", candidate, spec, similarity, MARGIN)


# ---- recipes


def check_cosine_by_hand(candidate: Callable) -> None:
    """Matched: 1 - 1 and 1 - 0.8. Mismatched, margin 0.1: 0.5 - 0.1, and -1 is left alone."""
    got = candidate(float64([[1, 0.5], [-1, 0.8]]), 0.1, 0.2)
    check_close("L_cos, margin 0.1: 0.2 (0 + 0.2) / 2 + 0.8 (0.4 + 0) / 2", got, 0.18)


def check_cosine_of_equal_similarities(candidate: Callable) -> None:
    for c in (-0.5, 0.05, 0.6):
        similarity = torch.full((4, 4), c, dtype=torch.float64)
        what = f"L_cos, all cosines {c}: 0.2 (1 - c) + 0.8 max(0, c - 0.1)"
        check_close(what, candidate(similarity, 0.1, 0.2), 0.2 * (1 - c) + 0.8 * max(0.0, c - 0.1))


def check_cosine_equals_spec(candidate: Callable, similarity) -> None:
    spec = relatives.cosine_loss_spec
    check_same(f"L_cos in loops, {len(similarity)} pairs", candidate, spec, similarity, MARGIN, 0.2)


def check_semantic_by_hand(candidate: Callable) -> None:
    """Logits 0, ln 2, ln 5 have probabilities 1/8, 2/8, 5/8; logits 0 have 1/3. Pair 1 has no class."""
    image, text = float64([[0, math.log(2), math.log(5)], [7, 0, 0]]), float64([[0, 0, 0], [0, 9, 0]])
    got = candidate(image, text, torch.tensor([2, 0]))
    check_close("L_reg, one pair of class 2, one of none: -(ln 5/8 + ln 1/3) / 2", got, math.log(24 / 5) / 2)


def check_semantic_without_classes(candidate: Callable) -> None:
    logits = torch.ones(2, 3, dtype=torch.float64)
    check_close("L_reg where no pair has a class", candidate(logits, logits, torch.tensor([0, 0])), 0.0)


def check_semantic_equals_spec(candidate: Callable, image, text, classes) -> None:
    what = f"L_reg in a loop, (pairs, classes) = {tuple(image.shape)}"
    check_same(what, candidate, relatives.semantic_loss_spec, image, text, classes)


# ---- the tests


def test_sigmoid_by_hand() -> None:
    check_sigmoid_by_hand(sigmoid_loss)


def test_ranking_by_hand() -> None:
    check_devise_by_hand(devise_loss)
    check_ranking_by_hand(ranking_loss)
    check_hardest_by_hand(hardest_negative_loss)


def test_cosine_by_hand() -> None:
    check_cosine_by_hand(cosine_loss)
    check_cosine_of_equal_similarities(cosine_loss)


def test_semantic_by_hand() -> None:
    check_semantic_by_hand(semantic_loss)
    check_semantic_without_classes(semantic_loss)


def test_sigmoid_at_step_0() -> None:
    check_sigmoid_at_step_0(sigmoid_loss)


@given(n=st.integers(2, 9))
def test_best_bias_is_minus_ln_of_the_negatives(n: int) -> None:
    check_best_bias(sigmoid_loss, n)


@pytest.mark.parametrize("loss", RANKINGS, ids=lambda function: function.__name__)
@given(n=st.integers(2, 9))
def test_equal_similarities(loss: Callable, n: int) -> None:
    check_equal_similarities(loss, loss, n)


@pytest.mark.parametrize("loss", RANKINGS, ids=lambda function: function.__name__)
def test_nothing_to_learn_behind_the_margin(loss: Callable) -> None:
    check_nothing_to_learn(loss, loss)


def test_large_logits_are_finite() -> None:
    check_sigmoid_of_large_logits(sigmoid_loss)


@st.composite
def similarities(draw):
    n = draw(st.integers(2, 6))
    return draw(whole_tensors(n, n))


@st.composite
def sigmoid_arguments(draw):
    return draw(similarities()), *(float64(draw(st.integers(-2, 2)) / 2) for _ in range(2))


@st.composite
def logits_and_classes(draw):
    n, c = draw(unequal_sizes(2))
    classes = draw(st.lists(st.integers(0, c - 1), min_size=n, max_size=n))
    return draw(whole_tensors(n, c)), draw(whole_tensors(n, c)), torch.tensor(classes)


@given(drawn=sigmoid_arguments())
def test_sigmoid_loss_equals_its_spec(drawn) -> None:
    check_sigmoid_equals_spec(sigmoid_loss, *drawn)


@given(similarity=similarities())
def test_similarity_losses_equal_their_specs(similarity) -> None:
    for loss in RANKINGS:
        check_ranking_equals_spec(loss, loss, similarity)
    check_cosine_equals_spec(cosine_loss, similarity)


@given(drawn=logits_and_classes())
def test_semantic_loss_equals_its_spec(drawn) -> None:
    check_semantic_equals_spec(semantic_loss, *drawn)


@given(drawn=sigmoid_arguments())
def test_gradient_of_the_sigmoid_loss(drawn) -> None:
    check_sigmoid_gradient(sigmoid_loss, *drawn)


@of_similarity
@given(similarity=similarities())
def test_order_of_the_pairs_does_not_matter(loss: Callable, similarity) -> None:
    """A permutation of images and texts together. To permute one side alone is another task."""
    order = torch.arange(len(similarity)).roll(1)
    rest = OF_SIMILARITY[loss]
    check_close(f"{loss.__name__} of permuted pairs", loss(similarity[order][:, order], *rest), loss(similarity, *rest))


@of_similarity
@given(similarity=similarities())
def test_both_directions_count_alike_in_all_but_devise(loss: Callable, similarity) -> None:
    rest, other = OF_SIMILARITY[loss], loss
    if loss is devise_loss:  # its mirror image is the second half of Kiros et al.
        other = lambda s, margin: ranking_loss(s, margin) - devise_loss(s, margin)  # noqa: E731
    check_close(f"{loss.__name__} with images and texts exchanged", loss(similarity.T, *rest), other(similarity, *rest))


@given(similarity=similarities(), constant=st.integers(-3, 3))
def test_rankings_know_differences_only(similarity, constant: int) -> None:
    """A constant on all cosines changes no ranking loss. It changes the two losses in which a cosine has a target."""
    for loss in RANKINGS:
        check_close(f"{loss.__name__}, S + {constant}", loss(similarity + constant, MARGIN), loss(similarity, MARGIN))
    if constant > 0:
        assert cosine_loss(similarity + constant, 0.1, 0.2) != cosine_loss(similarity, 0.1, 0.2)
        assert sigmoid_loss(similarity + constant, *OF_SIMILARITY[sigmoid_loss]) != sigmoid_loss(
            similarity, *OF_SIMILARITY[sigmoid_loss]
        )


@given(similarity=similarities())
def test_right_cosines_are_pulled_up_and_wrong_ones_pushed_down(similarity) -> None:
    """The sign of every gradient: not positive on the diagonal, not negative elsewhere."""
    for loss, rest in OF_SIMILARITY.items():
        leaf = similarity.clone().requires_grad_()
        (slope,) = torch.autograd.grad(loss(leaf, *rest), leaf)
        signed = slope * (1 - 2 * torch.eye(len(similarity)))
        assert (signed >= 0).all(), f"{loss.__name__}: a gradient of the wrong sign in {slope.tolist()}"


@given(similarity=similarities(), scale=st.sampled_from([1.0, 10.0, 1000.0]))
def test_sharp_softmax_is_the_hardest_negative(similarity, scale: float) -> None:
    """max ≤ logsumexp ≤ max + ln n. So 2 / e^t times CLIP's loss is VSE++ with margin 0, up to 2 ln n / e^t."""
    n = len(similarity)
    softmax = 2 * contrastive_loss(scale * similarity) / scale
    gap = (softmax - hardest_negative_loss(similarity, 0.0)).item()
    assert -1e-12 <= gap <= 2 * math.log(n) / scale + 1e-12, f"{gap} is outside of [0, 2 ln {n} / {scale}]"


# ---- reference libraries


@given(similarity=similarities())
def test_rankings_equal_torchs(similarity) -> None:
    """torch.nn.functional.multi_margin_loss divides by the number of classes. margin_ranking_loss compares one by one;
    of two directions, it takes the sum."""
    n = len(similarity)
    labels, itself = torch.arange(n), torch.eye(n, dtype=torch.bool)

    def multi_margin(s, margin):
        return n * multi_margin_loss(s, labels, margin=margin)

    def one_by_one(s, margin):
        own = s.diagonal()
        right = torch.cat([own[:, None].expand(n, n)[~itself], own.expand(n, n)[~itself]])  # of the row, of the column
        wrong = s[~itself].repeat(2)
        return margin_ranking_loss(right, wrong, torch.ones_like(wrong), margin, reduction="sum") / n

    check_same("DeViSE's equation 1 beside multi_margin_loss", devise_loss, multi_margin, similarity, MARGIN)
    check_same("Kiros et al. beside margin_ranking_loss", ranking_loss, one_by_one, similarity, MARGIN)


@st.composite
def two_tables(draw):
    n, d = draw(unequal_sizes(2))
    rows = whole_tensors(n, d).filter(lambda x: bool((x != 0).any(dim=1).all()))  # a zero vector has no cosine
    return draw(rows), draw(rows)


@given(drawn=two_tables())
def test_cosine_loss_equals_torchs(drawn) -> None:
    """torch.nn.functional.cosine_embedding_loss of all matched and of all mismatched pairs, down to the vectors."""

    def ours(image, text):
        return cosine_loss(normalize(image, dim=1) @ normalize(text, dim=1).T, MARGIN, 0.2)

    def torchs(image, text):
        n = len(image)
        i, j = torch.cartesian_prod(torch.arange(n), torch.arange(n)).T
        right, wrong = i == j, i != j
        losses = (
            cosine_embedding_loss(image[i[these]], text[j[these]], target, MARGIN)
            for these, target in ((right, torch.ones(n)), (wrong, -torch.ones(n * (n - 1))))
        )
        return sum(share * loss for share, loss in zip((0.2, 0.8), losses, strict=True))

    check_same("L_cos beside cosine_embedding_loss", ours, torchs, *drawn)


@given(drawn=logits_and_classes())
def test_semantic_loss_equals_torchs(drawn) -> None:
    """torch's cross_entropy with weight 0 for the background class, as in the authors' code."""
    image, _, classes = drawn
    weight = torch.ones(image.shape[1], dtype=torch.float64)
    weight[0] = 0

    def torchs(image, text, classes):
        return (cross_entropy(image, classes, weight) + cross_entropy(text, classes, weight)) / 2

    if (classes != 0).any():  # torch's mean over nothing is NaN
        check_same("L_reg beside cross_entropy", semantic_loss, torchs, *drawn)


def test_sigmoid_loss_equals_that_of_transformers() -> None:
    """SiglipModel with towers that hand on the embeddings: loss, and its gradient down to embeddings, scale, bias."""
    from lab.peers import import_torchaudio

    import_torchaudio()
    from transformers import SiglipConfig, SiglipModel

    tiny = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
    reference = SiglipModel(
        SiglipConfig(
            text_config={**tiny, "vocab_size": 5, "max_position_embeddings": 4, "projection_size": 8},
            vision_config={**tiny, "image_size": 4, "patch_size": 4},
        )
    ).double()

    class HandedOn(torch.nn.Module):
        def forward(self, input_ids=None, pixel_values=None, **rest):
            return SimpleNamespace(pooler_output=pixel_values if input_ids is None else input_ids)

    reference.vision_model, reference.text_model = HandedOn(), HandedOn()

    def theirs(image, text, log_scale, bias):
        del reference.logit_scale, reference.logit_bias
        reference.logit_scale, reference.logit_bias = log_scale, bias
        return reference(input_ids=text, pixel_values=image, return_loss=True).loss

    def ours(image, text, log_scale, bias):
        return sigmoid_loss(cosine_similarity(image[:, None], text[None], dim=-1), log_scale, bias)

    generator = torch.Generator().manual_seed(0)
    image, text = (torch.randn(5, 3, dtype=torch.float64, generator=generator) for _ in range(2))
    check_same("algorithm 1 beside SiglipModel", ours, theirs, image, text, float64(math.log(10)), float64(-10.0))


# ---- misconceptions


def all_checks(wrong: Callable) -> dict[str, Callable[[], None]]:
    """The checks of the loss that a misconception is about, by name."""
    if wrong in misconceptions.SIGMOID:
        arguments = SCORES, float64(0.5), float64(-1.5)
        return {
            "by hand": lambda: check_sigmoid_by_hand(wrong),
            "step 0": lambda: check_sigmoid_at_step_0(wrong),
            "best bias": lambda: check_best_bias(wrong, 5),
            "large": lambda: check_sigmoid_of_large_logits(wrong),
            "spec": lambda: check_sigmoid_equals_spec(wrong, *arguments),
            "gradient": lambda: check_sigmoid_gradient(wrong, *arguments),
        }
    if wrong in misconceptions.COSINE:
        return {
            "by hand": lambda: check_cosine_by_hand(wrong),
            "equal": lambda: check_cosine_of_equal_similarities(wrong),
            "spec": lambda: check_cosine_equals_spec(wrong, SCORES / 5),
        }
    if wrong in misconceptions.SEMANTIC:
        arguments = SCORES, SCORES.T, torch.tensor([1, 0, 2])
        return {
            "by hand": lambda: check_semantic_by_hand(wrong),
            "no classes": lambda: check_semantic_without_classes(wrong),
            "spec": lambda: check_semantic_equals_spec(wrong, *arguments),
        }
    groups = (misconceptions.DEVISE, misconceptions.RANKING, misconceptions.HARDEST)
    by_hand = (check_devise_by_hand, check_ranking_by_hand, check_hardest_by_hand)
    k = next(k for k, group in enumerate(groups) if wrong in group)
    return {
        "by hand": lambda: by_hand[k](wrong),
        "equal": lambda: check_equal_similarities(wrong, RANKINGS[k], 4),
        "nothing": lambda: check_nothing_to_learn(wrong, RANKINGS[k]),
        "spec": lambda: check_ranking_equals_spec(wrong, RANKINGS[k], SCORES),
    }


CATCHES = {  # beside "spec", which catches all but the last one of SigLIP
    "softmax_in_place_of_the_sigmoid": ["by hand", "step 0", "best bias", "gradient"],
    "without_the_bias": ["by hand", "step 0", "best bias", "gradient"],
    "mean_over_all_pairs": ["by hand", "step 0", "gradient"],
    "sum_over_all_pairs": ["by hand", "step 0", "gradient"],
    "bias_subtracted": ["by hand", "step 0", "best bias", "gradient"],
    "divided_by_the_scale": ["by hand", "gradient"],
    "scale_without_exp": ["gradient"],
    "labels_zero_and_one": ["by hand", "step 0", "best bias", "gradient"],
    "sigmoid_then_log": ["large"],
    "own_text_counted_as_wrong": ["by hand", "equal", "nothing"],
    "margin_on_the_wrong_side": ["by hand", "equal"],
    "texts_in_place_of_images": ["by hand"],
    "right_score_of_the_column": ["by hand"],
    "mean_over_the_wrong_texts": ["by hand", "equal"],
    "without_the_hinge": ["by hand", "nothing"],
    "squared_hinge": ["by hand", "equal"],
    "mean_of_both_directions": ["by hand", "equal"],
    "both_directions_by_rows": ["by hand"],
    "hardest_over_the_wrong_axis": ["by hand"],
    "hardest_is_itself": ["by hand", "nothing"],
    "hardest_of_the_batch": ["by hand"],
    "easiest_negative": ["by hand"],
    "mean_over_all_cosines": ["by hand", "equal"],
    "own_pair_among_the_mismatched": ["by hand"],
    "margin_added_to_the_cosine": ["by hand", "equal"],
    "margin_for_matched_pairs_too": ["by hand", "equal"],
    "mismatched_pulled_to_minus_one": ["by hand", "equal"],
    "shares_exchanged": ["by hand", "equal"],
    "background_as_a_class": ["by hand", "no classes"],
    "background_in_the_mean": ["by hand"],
    "images_only": ["by hand"],
    "sum_of_both_sides": ["by hand"],
    "classes_of_the_sides_interleaved": ["by hand"],
}
WRONG = [
    *misconceptions.SIGMOID,
    *misconceptions.DEVISE,
    *misconceptions.RANKING,
    *misconceptions.HARDEST,
    *misconceptions.COSINE,
    *misconceptions.SEMANTIC,
]


def test_every_misconception_is_judged() -> None:
    assert list(CATCHES) == [wrong.__name__ for wrong in WRONG]


@pytest.mark.parametrize("wrong", WRONG, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong: Callable) -> None:
    """By each of its checks alone."""
    checks = all_checks(wrong)
    for name in [*CATCHES[wrong.__name__], *(["spec"] if wrong is not misconceptions.sigmoid_then_log else [])]:
        with pytest.raises(AssertionError):  # if it is not raised, this check does not see the mistake
            checks[name]()
