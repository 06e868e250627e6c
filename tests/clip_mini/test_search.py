"""Equation → function → test

s_ij = q_i · v_j, the largest of each row      nearest              test_nearest_by_hand, test_nearest_equals_the_spec
the same over chunks                           nearest_in_chunks    test_chunks_give_the_same
approximate search (Jégou et al. 2011)         FaissIndex           test_faiss_finds_nearly_what_exact_search_finds
"""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from clip_mini.extensions import search
from clip_mini.extensions.search import ExactIndex, FaissIndex, nearest, nearest_in_chunks, nearest_spec
from clip_mini.report.bench_search import like_embeddings, recall
from tests.clip_mini.misconceptions import search as misconceptions
from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_equal

A, B, C, D = (1.0, 0.0), (0.6, 0.8), (0.0, 1.0), (-1.0, 0.0)  # unit vectors
BY_HAND = {  # the case: query, vectors, top, cosines, indices
    "in falling order": (A, (D, C, B, A), 3, (1, 0.6, 0), (3, 2, 1)),
    "two of one chunk": (B, (A, B, D, D), 2, (1, 0.6), (1, 0)),
    "equal ones": (C, (A, B, D, B), 3, (0.8, 0.8, 0), (1, 3, 0)),
    "equal ones at the end": (A, (B, C, D, C, C), 2, (0.6, 0), (0, 1)),
    "fewer than top": (A, (D, B), 5, (0.6, -1), (1, 0)),
    "a hundred equal ones": (A, (A,) * 100, 3, (1, 1, 1), (0, 1, 2)),
}
CAUGHT_BY = {
    misconceptions.topk_alone: "a hundred equal ones",
    misconceptions.places_in_the_chunk: "in falling order",
    misconceptions.one_of_each_chunk: "two of one chunk",
    misconceptions.smallest_first: "in falling order",
    misconceptions.later_of_equals: "equal ones",
}
BOTH = pytest.mark.parametrize("function", [nearest, nearest_spec], ids=lambda function: function.__name__)


def check_nearest(function: Callable, case: str) -> None:
    query, vectors, top, cosines, indices = BY_HAND[case]
    scores, found = function(torch.tensor([query]), torch.tensor(vectors), top)
    assert found.tolist() == [list(indices)], (
        f"the {top} largest q · v, equal ones by the lower index ({case}): q = {query}; "
        f"got the vectors {found.tolist()[0]}, expected {list(indices)}, with cosines {list(cosines)}"
    )
    assert scores[0].tolist() == pytest.approx(cosines, abs=1e-6)


@BOTH
@pytest.mark.parametrize("case", BY_HAND)
def test_nearest_by_hand(function: Callable, case: str) -> None:
    check_nearest(function, case)


@pytest.mark.parametrize("wrong", CAUGHT_BY, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError, match="equal ones by the lower index"):
        check_nearest(wrong, CAUGHT_BY[wrong])


@given(sizes=unequal_sizes(3, low=2, high=9), top=st.integers(1, 12), at_once=st.integers(1, 30), data=st.data())
def test_nearest_equals_the_spec(sizes, top: int, at_once: int, data) -> None:
    """Whole numbers: the products are exact, and ties are many."""
    q, n, d = sizes
    queries, vectors = data.draw(whole_tensors(q, d, largest=2)), data.draw(whole_tensors(n, d, largest=2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "AT_ONCE", at_once)
        patch.setattr(search, "QUERIES", 1 + at_once % 4)
        got = nearest(queries, vectors, top)
    expected = nearest_spec(queries, vectors, top)
    assert got[1].tolist() == expected[1].tolist()
    check_equal("the scores of the nearest", got[0], expected[0])
    index = ExactIndex()
    for chunk in vectors.split(2):
        index.add(chunk)
    assert len(index) == n
    assert index.search(queries, top)[1].tolist() == expected[1].tolist()


def test_equals_faiss_flat_index() -> None:
    """The reference is faiss.IndexFlatIP, on vectors without ties."""
    faiss = pytest.importorskip("faiss")
    vectors, queries = like_embeddings(700, 1, 24), like_embeddings(9, 2, 24)
    index = faiss.IndexFlatIP(24)
    index.add(vectors.numpy())
    scores, indices = index.search(queries.numpy(), 10)
    got = nearest(queries, vectors, 10)
    assert got[1].tolist() == indices.tolist()
    check_close("scores beside faiss", got[0], torch.from_numpy(scores), 1e-5, 1e-6)


def test_chunks_give_the_same_in_bounded_memory(monkeypatch) -> None:
    """However many vectors a generator gives, at most ``AT_ONCE`` cosines are in memory at a time."""
    monkeypatch.setattr(search, "AT_ONCE", 600)
    seen, largest = [], search.largest
    monkeypatch.setattr(search, "largest", lambda scores, top: seen.append(scores.numel()) or largest(scores, top))
    vectors, queries = like_embeddings(1000, 1, 8), like_embeddings(6, 2, 8)
    got = nearest_in_chunks(queries, (vectors[at : at + 300] for at in range(0, 1000, 300)), 5)
    assert max(seen) <= 600
    assert got[1].tolist() == nearest_spec(queries, vectors, 5)[1].tolist()


def test_no_query_gives_no_result() -> None:
    assert nearest(torch.empty(0, 4), torch.ones(3, 4), 2)[1].shape == (0, 2)


@pytest.mark.parametrize(
    ("vectors", "top", "message"),
    [
        (torch.ones(3, 2), 0, "top must be at least 1, got 0"),
        (torch.ones(0, 2), 1, "vectors must be at least one, got none"),
        (torch.tensor([[1.0, 0], [1, 0], [torch.nan, 0], [1, 0]]), 2, "got NaN for query 0 and vector 2"),
    ],
)
def test_wrong_input_is_one_line(vectors, top: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nearest(torch.tensor([[1.0, 0.0]]), vectors, top)


class TestFaiss:
    """``FaissIndex`` on 12,000 vectors: enough for codes, few enough for a test."""

    @pytest.fixture(scope="class")
    @classmethod
    def built(cls, tmp_path_factory) -> tuple[Path, torch.Tensor, torch.Tensor]:
        """A saved index, its vectors and some queries; a test must leave it so."""
        pytest.importorskip("faiss")
        folder, vectors, queries = (
            tmp_path_factory.mktemp("index"),
            like_embeddings(12_000, 1, 64),
            like_embeddings(50, 2, 64),
        )
        index = FaissIndex(folder, 64, "the key")
        for chunk in vectors[:11_000].split(4000):
            index.add(chunk)
        index.search(queries, 1)  # the codes are learned now
        index.add(vectors[11_000:])
        index.save()
        return folder, vectors, queries

    def test_faiss_finds_nearly_what_exact_search_finds(self, built) -> None:
        """Also among the vectors that were added after the codes were learned; what it finds has its exact cosine."""
        folder, vectors, queries = built
        scores, found = FaissIndex(folder, 64, "the key").search(queries, 10)
        exact = nearest(queries, vectors, 10)[1]
        assert recall(found, exact) > 0.95
        assert (found >= 11_000).any()
        check_close(
            "the cosines of what was found", scores, torch.einsum("qd, qkd -> qk", queries, vectors[found]), 1e-5, 1e-5
        )
        assert (scores.diff(dim=1) <= 0).all()

    def test_codes_alone_find_less(self, built) -> None:
        folder, vectors, queries = built
        exact = nearest(queries, vectors, 10)[1]
        found = {
            candidates: FaissIndex(folder, 64, "the key", candidates=candidates).search(queries, 10)[1]
            for candidates in (0, 10)
        }
        assert recall(found[0], exact) < recall(found[10], exact)

    def test_equal_vectors_come_by_the_lower_index(self, built, tmp_path) -> None:
        index = FaissIndex(tmp_path, 64, "twins")
        index.add(built[1])
        index.add(built[1][:5])
        assert index.search(built[1][:5], 2)[1].tolist() == [[k, 12_000 + k] for k in range(5)]

    def test_more_than_the_lists_hold_is_searched_exactly(self, built) -> None:
        folder, vectors, queries = built
        found = FaissIndex(folder, 64, "the key", probes=1).search(queries[:2], 5000)[1]
        assert found.tolist() == nearest(queries[:2], vectors, 5000)[1].tolist()

    def test_few_vectors_are_searched_exactly(self, built, tmp_path) -> None:
        index, vectors = FaissIndex(tmp_path, 64, "few"), built[1][:300]
        index.add(vectors)
        index.save()
        for again in (index, FaissIndex(tmp_path, 64, "few")):
            assert len(again) == 300
            assert again.search(built[2], 7)[1].tolist() == nearest(built[2], vectors, 7)[1].tolist()

    def test_an_index_that_does_not_fit_is_begun_anew(self, built, tmp_path) -> None:
        def saved() -> None:
            index = FaissIndex(tmp_path, 64, "key")
            index.add(built[1][: 20 - len(index)])
            index.save()

        saved()
        assert len(FaissIndex(tmp_path, 64, "key")) == 20
        with (tmp_path / "vectors.f32").open("ab") as file:
            file.write(b"killed while it was written")
        assert len(FaissIndex(tmp_path, 64, "key")) == 20, "what was saved is there"
        assert (tmp_path / "vectors.f32").stat().st_size == 20 * 64 * 4
        for damage in (
            lambda: (tmp_path / "codes.pt").write_bytes(b"damaged"),
            lambda: (tmp_path / "vectors.f32").write_bytes(b"cut short"),
            lambda: FaissIndex(tmp_path, 64, "another key"),
            lambda: FaissIndex(tmp_path, 8, "key"),
        ):
            damage()
            assert len(FaissIndex(tmp_path, 64, "key")) == 0
            saved()

    def test_other_dimensions_are_refused(self, tmp_path) -> None:
        with pytest.raises(ValueError, match="vectors must have 64 dimensions, got 8"):
            FaissIndex(tmp_path, 64, "key").add(torch.ones(3, 8))


def test_without_faiss_one_line_says_how_to_get_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ValueError, match="pip install faiss-cpu"):
        FaissIndex(tmp_path, 64, "key")
