"""Equation → function → test (Mikolov et al. 2013b)

p(w | w_I) = Π σ([[·]] v'_n · v)   log_probabilities      test_equation_3_by_hand, test_probabilities_sum_to_1
the tree                           huffman_tree           test_no_tree_is_shorter, test_entropy_bounds_the_mean_length
the optimum, #(w_I, w) / #(w_I)    hierarchical_loss      test_the_optimum_is_what_was_counted
"""

import math
from collections.abc import Callable, Sequence
from functools import cache
from itertools import combinations

import numpy as np
import pytest
import torch
from gensim.models import Word2Vec
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import logsigmoid

from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_equal
from tests.word2vec.misconceptions import huffman as misconceptions
from word2vec.extensions.huffman import (
    HierarchicalSkipGram,
    hierarchical_loss,
    hierarchical_softmax_loss,
    hierarchical_softmax_loss_spec,
    huffman_tree,
    log_probabilities,
)
from word2vec.model import SkipGram

COUNTS = st.lists(st.integers(1, 12), min_size=2, max_size=9)


def path(tree, word: int) -> list[tuple[int, int]]:
    """(node, sign) from the root to the word."""
    length = int(tree.lengths[word])
    return list(zip(tree.nodes[word, :length].tolist(), tree.signs[word, :length].int().tolist(), strict=True))


def cost(tree, counts: Sequence[int]) -> int:
    return sum(count * length for count, length in zip(counts, tree.lengths.tolist(), strict=True))


@cache
def shortest(trees: tuple[tuple[int, int], ...]) -> tuple[int, int]:
    """(cost, longest path), over all ways to join trees of (count, height), two at a time."""
    if len(trees) == 1:
        return 0, trees[0][1]
    found = []
    for i, j in combinations(range(len(trees)), 2):
        count, height = trees[i][0] + trees[j][0], 1 + max(trees[i][1], trees[j][1])
        rest = [tree for place, tree in enumerate(trees) if place not in (i, j)]
        below, longest = shortest(tuple(sorted([*rest, (count, height)])))
        found.append((count + below, longest))
    return min(found)


def check_is_a_tree(candidate: Callable, counts: Sequence[int]) -> None:
    """Kraft's equality; every node has two children, and is the same for all words that have come the same way."""
    tree, v = candidate(counts), len(counts)
    assert sum(2.0**-length for length in tree.lengths.tolist()) == 1, f"2^-length do not sum to 1 for {counts}"
    ways = {}  # node: the ways that lead to it
    signs = {}  # node: the signs with which it is left
    for word in range(v):
        way = ()
        for node, sign in path(tree, word):
            ways.setdefault(node, set()).add(way)
            signs.setdefault(node, set()).add(sign)
            way += (sign,)
    assert sorted(ways) == list(range(v - 1)), f"nodes {sorted(ways)} for {v} words"
    assert {len(way) for way in ways.values()} == {1}, f"a node is at two places: {ways}"
    assert all(both == {1, -1} for both in signs.values()), f"a node has one child only: {signs}"
    for word, length in enumerate(tree.lengths.tolist()):
        assert tree.signs[word, length:].eq(0).all(), f"word {word} has signs after its end"
        assert tree.signs[word, :length].ne(0).all(), f"word {word} has no sign on its way"


def check_is_shortest(candidate: Callable, counts: Sequence[int]) -> None:
    tree = candidate(counts)
    got, expected = (cost(tree, counts), int(tree.lengths.max())), shortest(tuple(sorted((n, 0) for n in counts)))
    assert got == expected, f"(cost, longest path) of the tree of {counts} are {got}, of the shortest {expected}"


def random_model(counts: Sequence[int], dim: int, seed: int = 0) -> HierarchicalSkipGram:
    torch.manual_seed(seed)
    model = HierarchicalSkipGram(counts, dim).double()
    torch.nn.init.normal_(model.centre)
    torch.nn.init.normal_(model.nodes)
    return model


def check_sums_to_1(candidate: Callable, counts: Sequence[int], dim: int = 3) -> None:
    model, v = random_model(counts, dim), len(counts)
    for centre in range(v):
        with torch.no_grad():
            total = candidate(*model.path_scores(torch.full((v,), centre), torch.arange(v))).exp().sum()
        check_close(f"Σ_w p(w | {centre}) = 1", total, torch.tensor(1.0).double())


def check_equals_spec(candidate: Callable, scores, signs) -> None:
    expected = hierarchical_softmax_loss_spec(scores.tolist(), signs.tolist())
    assert candidate(scores, signs).item() == pytest.approx(expected, rel=1e-10, abs=1e-12)


def check_equation_3_by_hand(candidate: Callable) -> None:
    """σ(ln 3) = 3/4, σ(-ln 3) = 1/4, σ(0) = 1/2. The first path has two nodes, the second one node and padding."""
    scores = torch.tensor([[math.log(3), 0], [math.log(3), math.log(7)]], dtype=torch.float64)
    signs = torch.tensor([[1.0, -1], [-1, 0]], dtype=torch.float64)
    expected = torch.tensor([3 / 8, 1 / 4], dtype=torch.float64).log()
    check_close("equation 3, ln p = ln(3/4 · 1/2) and ln 1/4", candidate(scores, signs), expected)


def test_equation_3_by_hand() -> None:
    check_equation_3_by_hand(log_probabilities)


@pytest.mark.parametrize(
    ("counts", "nodes", "signs"),
    [
        ([5, 3], [[0], [0]], [[-1], [1]]),  # the rarer one has the sign +1
        ([5, 2, 1], [[1, 0], [1, 0], [1, 0]], [[-1, 0], [1, -1], [1, 1]]),
        ([1, 5, 2], [[1, 0], [1, 0], [1, 0]], [[1, 1], [-1, 0], [1, -1]]),
        ([1, 1, 2], [[1, 0], [1, 0], [1, 0]], [[-1, 1], [-1, -1], [1, 0]]),  # a word comes before a joined tree
        ([7, 7, 7, 7], [[2, 0], [2, 0], [2, 1], [2, 1]], [[1, 1], [1, -1], [-1, 1], [-1, -1]]),
        ([0, 0], [[0], [0]], [[1], [-1]]),
    ],
)
def test_by_hand(counts, nodes, signs) -> None:
    tree = huffman_tree(counts)
    lengths = [sum(sign != 0 for sign in row) for row in signs]
    nodes = [[node if sign else 0 for node, sign in zip(*rows, strict=True)] for rows in zip(nodes, signs, strict=True)]
    assert (tree.nodes.tolist(), tree.signs.tolist(), tree.lengths.tolist()) == (nodes, signs, lengths)


@given(counts=COUNTS)
def test_is_a_tree(counts) -> None:
    check_is_a_tree(huffman_tree, counts)


@given(counts=st.lists(st.integers(0, 12), min_size=2, max_size=6))
def test_no_tree_is_shorter(counts) -> None:
    check_is_shortest(huffman_tree, counts)


@given(counts=st.lists(st.integers(1, 1000), min_size=2, max_size=30))
def test_entropy_bounds_the_mean_length(counts) -> None:
    """Shannon: no code is shorter than the entropy in bits, and Huffman's is less than one bit longer."""
    n = sum(counts)
    entropy = -sum(count / n * math.log2(count / n) for count in counts)
    assert entropy - 1e-9 <= cost(huffman_tree(counts), counts) / n < entropy + 1


def test_powers_of_two_reach_the_entropy() -> None:
    assert huffman_tree([8, 4, 2, 1, 1]).lengths.tolist() == [1, 2, 3, 4, 4]


@given(counts=COUNTS)
def test_probabilities_sum_to_1(counts) -> None:
    check_sums_to_1(log_probabilities, counts)


@st.composite
def scores_and_signs(draw):
    """Scores of n pairs with v - 1 nodes, the longest path that there can be, and rows of signs that end somewhere."""
    n, v = draw(unequal_sizes(2))
    lengths = draw(st.lists(st.integers(1, v - 1), min_size=n, max_size=n))
    ends = torch.arange(v - 1) < torch.tensor(lengths)[:, None]  # (n, v - 1)
    signs = draw(whole_tensors(n, v - 1)).ge(0).double() * 2 - 1
    return draw(whole_tensors(n, v - 1)), signs * ends


@given(drawn=scores_and_signs())
def test_equals_spec(drawn) -> None:
    check_equals_spec(hierarchical_softmax_loss, *drawn)


@given(drawn=scores_and_signs())
def test_gradient_in_closed_form(drawn) -> None:
    r"""∂(-ln p)/∂s = σ(s) - 1 where the sign is +1 and σ(s) where it is -1; finite differences say the same."""
    scores, signs = drawn[0].requires_grad_(), drawn[1]
    (got,) = torch.autograd.grad(hierarchical_softmax_loss(scores, signs), scores)
    expected = (scores.sigmoid() - (signs > 0).double()) * signs.abs() / len(scores)
    check_close("∂(-ln p)/∂s", got, expected.detach())
    assert torch.autograd.gradcheck(lambda scores: hierarchical_softmax_loss(scores, signs), scores)


def test_gradient_of_the_tables() -> None:
    model = random_model([5, 1, 3, 3, 2], dim=2)
    centres, contexts = torch.tensor([0, 3, 3, 1, 4, 2, 2]), torch.tensor([1, 0, 2, 2, 4, 3, 4])

    def loss(centre, nodes):
        return torch.func.functional_call(
            Loss(model), {"model.centre": centre, "model.nodes": nodes}, (centres, contexts)
        )

    assert torch.autograd.gradcheck(loss, (model.centre, model.nodes))


class Loss(torch.nn.Module):
    def __init__(self, model: HierarchicalSkipGram) -> None:
        super().__init__()
        self.model = model

    def forward(self, centres, contexts):
        return hierarchical_loss(self.model, centres, contexts)


@given(counts=COUNTS, contexts=st.lists(st.integers(0, 100), min_size=1, max_size=20))
def test_step_0_costs_the_mean_length(counts, contexts) -> None:
    """Every decision has probability ½, so a word costs its path's length in bits, whatever the centres are."""
    model = HierarchicalSkipGram(counts, dim=4).double()
    contexts = torch.tensor(contexts) % len(counts)
    expected = huffman_tree(counts).lengths[contexts].double().mean() * math.log(2)
    check_close(
        "step 0, the mean length of the paths in bits, times ln 2",
        hierarchical_loss(model, contexts.flip(0), contexts),
        expected,
    )


def check_vanishes_at_the_optimum(candidate: Callable, counted) -> None:
    """Each node's σ is the share of what was counted below its branch: then p(w | w_I) = #(w_I, w) / #(w_I)."""
    v = len(counted)
    model = HierarchicalSkipGram(counted.sum(0).int().tolist(), dim=v).double()
    tree = huffman_tree(counted.sum(0).int().tolist())
    with torch.no_grad():
        model.centre.copy_(torch.eye(v))  # so that nodes[n, c] is the score of node n with centre c
        for node in range(v - 1):
            plus, minus = (
                sum(counted[:, word] for word in range(v) if (node, sign) in path(tree, word)) for sign in (1, -1)
            )
            model.nodes[node] = plus.log() - minus.log()  # σ⁻¹(plus / (plus + minus))
    pairs = torch.cartesian_prod(torch.arange(v), torch.arange(v))
    probabilities = candidate(*model.path_scores(*pairs.T)).exp().view(v, v)
    check_close("p(w | w_I) = #(w_I, w) / #(w_I)", probabilities.detach(), counted / counted.sum(1, keepdim=True))
    centres, contexts = pairs.repeat_interleave(counted.flatten().int(), dim=0).T
    loss = -candidate(*model.path_scores(centres, contexts)).mean()
    for gradient in torch.autograd.grad(loss, (model.centre, model.nodes)):
        check_close("the gradient at the optimum", gradient, torch.zeros_like(gradient), 0, 1e-11)


@given(counted=st.integers(2, 6).flatmap(lambda v: whole_tensors(v, v)))
def test_the_optimum_is_what_was_counted(counted) -> None:
    check_vanishes_at_the_optimum(log_probabilities, counted.abs() + 1)


def test_the_loss_is_the_mean_of_the_pairs() -> None:
    model = random_model([4, 1, 2], dim=5)
    centres, contexts = torch.tensor([0, 1, 1, 2]), torch.tensor([1, 2, 0, 0])
    expected = -sum(model.log_probabilities(c[None], o[None]) for c, o in zip(centres, contexts, strict=True)) / 4
    check_close("the mean over the pairs of -ln p", hierarchical_loss(model, centres, contexts), expected[0])


def test_first_weights_are_skip_grams() -> None:
    torch.manual_seed(3)
    model = HierarchicalSkipGram([3, 2, 1, 1], dim=5)
    torch.manual_seed(3)
    check_equal("the first weights", model.centre, SkipGram(4, 5).centre)
    assert model.nodes.shape == (3, 5)
    assert not model.nodes.any()
    assert sorted(name for name, _ in model.named_buffers()) == ["path_nodes", "path_signs"]


def gensims(counts: Sequence[int], dim: int = 4) -> Word2Vec:
    """gensim's model of words "0", "1", …, which it sorts by their counts."""
    model = Word2Vec(hs=1, negative=0, sg=1, vector_size=dim, min_count=1, sample=0, window=5)
    model.build_vocab_from_freq({str(word): count for word, count in enumerate(counts)})
    generator = np.random.default_rng(0)
    model.wv.vectors[:] = generator.normal(size=model.wv.vectors.shape)
    model.syn1[:] = generator.normal(size=model.syn1.shape)
    return model


@pytest.mark.parametrize("seed", range(5))
def test_without_ties_the_tree_is_gensims(seed: int) -> None:
    """The reference is gensim.models.Word2Vec(hs=1): same nodes, and sign = 1 - 2 code."""
    counts = np.random.default_rng(seed).choice(10**9, 40, replace=False).tolist()
    counts.sort(reverse=True)
    tree, gensim = huffman_tree(counts), gensims(counts)
    for word in range(len(counts)):
        code, point = (gensim.wv.get_vecattr(str(word), name) for name in ("code", "point"))
        assert path(tree, word) == [(int(n), 1 - 2 * int(bit)) for n, bit in zip(point, code, strict=True)], word


@given(counts=COUNTS)
def test_with_ties_it_costs_the_same_as_gensims(counts) -> None:
    gensim = gensims(counts)
    expected = sum(count * len(gensim.wv.get_vecattr(str(word), "code")) for word, count in enumerate(counts))
    assert cost(huffman_tree(counts), counts) == expected


def test_log_probabilities_equal_gensims() -> None:
    """The reference is Word2Vec.score, which adds ln p(a | b) and ln p(b | a) for a sentence of two words. It reads
    ln σ from a table at place 83 (s + 6) of 1000, where 83⅓ would be right: hence 0.03 for each node. Computed from
    gensim's own tree in float64, the two are equal."""
    counts = [400, 211, 101, 50, 24, 11, 5]
    gensim = gensims(counts)
    gensim.wv.vectors *= 0.5  # so that no score leaves the table
    model = HierarchicalSkipGram(counts, dim=4).double()
    with torch.no_grad():
        model.centre.copy_(torch.from_numpy(gensim.wv.vectors))
        model.nodes.copy_(torch.from_numpy(gensim.syn1[: len(counts) - 1]))  # its last row belongs to no node
    pairs = list(combinations(range(len(counts)), 2))
    scores = gensim.score([[str(a), str(b)] for a, b in pairs], total_sentences=len(pairs))
    for (a, b), score in zip(pairs, scores, strict=True):
        expected = 0.0
        for centre, context in ((a, b), (b, a)):
            code, point = (gensim.wv.get_vecattr(str(context), name) for name in ("code", "point"))
            products = (
                torch.from_numpy(gensim.syn1[point]).double() @ torch.from_numpy(gensim.wv.vectors[centre]).double()
            )
            expected += logsigmoid((1 - 2 * torch.from_numpy(code).double()) * products).sum()
        got = model.log_probabilities(torch.tensor([a, b]), torch.tensor([b, a])).sum().detach()
        check_close(f"ln p({b} | {a}) + ln p({a} | {b}) beside gensim", got, expected)
        assert got.item() == pytest.approx(
            float(score), abs=0.03 * sum(len(path(huffman_tree(counts), w)) for w in (a, b))
        )


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: huffman_tree([]), "counts must be two or more, none below 0, got 0 of them"),
        (lambda: huffman_tree([4]), "counts must be two or more, none below 0, got 1 of them, the smallest 4"),
        (lambda: huffman_tree([4, -1]), "counts must be two or more, none below 0, got 2 of them, the smallest -1"),
        (lambda: HierarchicalSkipGram([4, 3], 0), "dim must be at least 1, got 0"),
    ],
)
def test_wrong_input_is_named(wrong, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wrong()


@pytest.mark.parametrize("wrong", misconceptions.TREES, ids=lambda function: function.__name__)
def test_misconception_of_the_tree_is_caught(wrong) -> None:
    def all_checks() -> None:
        for counts in ([1, 1, 1, 1, 3], [9, 4, 2, 1], [3, 3, 3, 3]):
            check_is_a_tree(wrong, counts)
            check_is_shortest(wrong, counts)

    with pytest.raises(AssertionError):
        all_checks()


@pytest.mark.parametrize("wrong", misconceptions.PROBABILITIES, ids=lambda function: function.__name__)
@pytest.mark.parametrize("check", ["by hand", "sum", "spec", "optimum"])
def test_misconception_of_the_probability_is_caught(wrong, check: str) -> None:
    """By each of the four checks on its own."""
    model, counts = random_model([4, 2, 1], dim=3), [4, 2, 1]
    checks = {
        "by hand": lambda: check_equation_3_by_hand(wrong),
        "sum": lambda: check_sums_to_1(wrong, counts),
        "spec": lambda: check_equals_spec(
            lambda *paths: -wrong(*paths).mean(),
            *(x.detach() for x in model.path_scores(torch.tensor([0, 1, 2]), torch.tensor([1, 0, 2]))),
        ),
        "optimum": lambda: check_vanishes_at_the_optimum(
            wrong, torch.tensor([[1.0, 2, 3], [4, 1, 1], [5, 9, 2]]).double()
        ),
    }
    with pytest.raises(AssertionError):
        checks[check]()
