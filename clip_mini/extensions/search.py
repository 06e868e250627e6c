r"""Nearest neighbours of unit vectors: exact, or approximate for collections beyond memory.

The cosine of two unit vectors is their inner product, so the search for the nearest images of a text is one product of
matrices and the choice of the largest entries of each row. ``nearest`` does it in chunks, and ties go to the lower
index.

Exact search looks at every vector. ``FaissIndex`` does not (Jégou et al. 2011, "Product quantization for nearest
neighbor search"; Johnson et al. 2017, faiss). It keeps the vectors in a file, and in memory only product codes: 4 bits
for two dimensions, 16 times less than float32. The codes lie in lists, one for each of about √n centres; a query reads
the lists of the nearest centres. The file then gives the vectors of the best candidates, and their exact cosines
decide. Why not the alternatives: HNSW keeps all vectors in memory, and a graph beside them; so do lists without codes;
codes without the vectors confuse near neighbours; codes of 8 bits take a hundred times longer to learn.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from lab.checkpoint import CheckpointError, load, naming, save

AT_ONCE = 2**22  # cosines, or numbers read from a file, that are in memory at a time: 16 MB in float32
QUERIES = 256  # that go through the vectors together
FEWEST = 10_000  # vectors: with fewer, exact search is fast
PER_LIST = 64  # vectors that the centre of a list is learned from


def nearest_spec(
    queries: Float[Tensor, "q d"], vectors: Float[Tensor, "n d"], top: int
) -> tuple[Float[Tensor, "q k"], Int[Tensor, "q k"]]:
    """``nearest`` as two loops over its definition."""
    scores, indices = [], []
    for query in queries:
        cosines = [(query * vector).sum().item() for vector in vectors]
        order = sorted(range(len(cosines)), key=lambda j: (-cosines[j], j))[:top]
        scores.append([cosines[j] for j in order])
        indices.append(order)
    return torch.tensor(scores, dtype=vectors.dtype), torch.tensor(indices)


def nearest(
    queries: Float[Tensor, "q d"], vectors: Float[Tensor, "n d"], top: int
) -> tuple[Float[Tensor, "q k"], Int[Tensor, "q k"]]:
    r"""The ``top`` largest :math:`s_{ij} = q_i \cdot v_j` of each row i, in falling order, and their j.

    Of equal ones, the lower j comes first. With fewer than ``top`` vectors, all of them. Beside its arguments and
    its results it needs a few times 16 MB, whatever q and n are.

    Raises:
        ValueError: if ``top`` is below 1, there is no vector, or a cosine is NaN.
    """
    parts = [nearest_in_chunks(part, [vectors], top) for part in queries.split(QUERIES)]
    return torch.cat([scores for scores, _ in parts]), torch.cat([indices for _, indices in parts])


def nearest_in_chunks(
    queries: Float[Tensor, "q d"], chunks: Iterable[Float[Tensor, "_ d"]], top: int
) -> tuple[Float[Tensor, "q k"], Int[Tensor, "q k"]]:
    """As ``nearest``; the vectors come in chunks, each read once: they need not be in memory together."""
    if top < 1:
        raise ValueError(f"top must be at least 1, got {top}")
    at, rows = 0, max(1, AT_ONCE // max(1, len(queries)))
    best = queries.new_empty(len(queries), 0)
    indices = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)
    for chunk in chunks:
        for part in chunk.split(rows):
            scores, places = largest(queries @ part.T, top)  # (q, at most top)
            best, order = largest(torch.cat([best, scores], dim=1), top)  # what came before is left of what came now
            indices = torch.cat([indices, at + places], dim=1).gather(1, order)
            at += len(part)
    if at == 0:
        raise ValueError("vectors must be at least one, got none")
    if best.isnan().any():
        i, k = best.isnan().nonzero()[0].tolist()
        raise ValueError(f"cosines must be numbers, got NaN for query {i} and vector {indices[i, k]}")
    return best, indices


def largest(scores: Float[Tensor, "q n"], top: int) -> tuple[Float[Tensor, "q k"], Int[Tensor, "q k"]]:
    """The largest of each row in falling order, and their places; of equal ones, those at the left.

    ``topk`` is faster than a sort, and does not say which ones of equal values it takes. So it takes one more: only
    if that one equals the last, the row is sorted.
    """
    if top >= scores.shape[1]:
        return scores.sort(dim=1, descending=True, stable=True)
    values, places = scores.topk(top + 1, dim=1)
    undecided = values[:, top - 1] == values[:, top]
    places = places[:, :top].sort(dim=1).values
    values, order = scores.gather(1, places).sort(dim=1, descending=True, stable=True)
    places = places.gather(1, order)
    for row in undecided.nonzero()[:, 0].tolist():
        ordered, at = scores[row].sort(descending=True, stable=True)
        values[row], places[row] = ordered[:top], at[:top]
    return values, places


@runtime_checkable
class Index(Protocol):
    """Vectors that are added in chunks, and searched as by ``nearest``."""

    def __len__(self) -> int:
        """How many vectors there are."""

    def add(self, vectors: Float[Tensor, "n d"]) -> None:
        """They get the next indices."""

    def search(self, queries: Float[Tensor, "q d"], top: int) -> tuple[Float[Tensor, "q k"], Int[Tensor, "q k"]]:
        """As ``nearest``."""


class ExactIndex:
    """All vectors in memory; every search looks at each of them."""

    def __init__(self) -> None:
        self.chunks: list[Tensor] = []

    def __len__(self) -> int:
        return sum(map(len, self.chunks))

    def add(self, vectors: Float[Tensor, "n d"]) -> None:
        self.chunks.append(vectors)

    def search(self, queries: Float[Tensor, "q d"], top: int) -> tuple[Float[Tensor, "q k"], Int[Tensor, "q k"]]:
        parts = [nearest_in_chunks(part, self.chunks, top) for part in queries.split(QUERIES)]
        return torch.cat([scores for scores, _ in parts]), torch.cat([indices for _, indices in parts])


class FaissIndex:
    """Codes in memory, vectors in a file, exact cosines of the best candidates. On the CPU, in float32.

    The codes are learned at the first search, from a sample of all vectors that were added before it; vectors that are
    added later get codes of the same kind. With fewer than 10,000 vectors the search is exact.

    Args:
        folder: for ``vectors.f32`` (a row of float32 for each vector) and, after ``save``, ``codes.pt``.
        dimension: of the vectors.
        key: what the vectors are, in any words. A saved index is opened again if its key is the same; otherwise, and
            if it is damaged, the folder's index is begun anew.
        probes: lists that a query reads: more find more, and take longer.
        candidates: for each result, how many candidates get an exact cosine; 0 keeps the cosines of the codes.

    Raises:
        ValueError: if faiss is not installed.
    """

    def __init__(self, folder: Path, dimension: int, key: str, probes: int = 32, candidates: int = 10) -> None:
        self.faiss = import_faiss()
        self.path, self.codes = folder / "vectors.f32", folder / "codes.pt"
        self.dimension, self.key, self.probes, self.candidates = dimension, key, probes, candidates
        self.index, self.count = self._saved()
        with naming(self.path):
            folder.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                file.truncate(self._bytes(self.count))  # after the saved ones: of a process that was killed

    def __len__(self) -> int:
        return self.count

    def add(self, vectors: Float[Tensor, "n d"]) -> None:
        n, d = vectors.shape
        if d != self.dimension:
            raise ValueError(f"vectors must have {self.dimension} dimensions, got {d}")
        with naming(self.path), self.path.open("ab") as file:
            file.write(vectors.detach().cpu().float().numpy().tobytes())
        self.count += n

    def search(self, queries: Float[Tensor, "q d"], top: int) -> tuple[Float[Tensor, "q k"], Int[Tensor, "q k"]]:
        queries, rows = queries.detach().cpu().float(), self._rows()
        if top < 1 or self.count < FEWEST:
            return self._exact(queries, top)
        self._update(rows)
        top = min(top, self.count)
        wanted = min(self.count, top * max(1, self.candidates))
        self.index.nprobe = min(self.probes, self.index.nlist)
        at_once = max(1, AT_ONCE // (wanted * self.dimension))
        parts = [self._search(part, rows, top, wanted) for part in queries.split(at_once)]
        return torch.cat([scores for scores, _ in parts]), torch.cat([indices for _, indices in parts])

    def save(self) -> None:
        """Keeps the codes beside the vectors."""
        rows = self._rows()
        if self.count >= FEWEST:
            self._update(rows)
        codes = np.empty(0, np.uint8) if self.index is None else self.faiss.serialize_index(self.index)
        state = {"key": self.key, "dimension": self.dimension, "count": self.count}
        save(self.codes, {**state, "codes": torch.from_numpy(codes)})

    def _search(self, queries: Tensor, rows: np.ndarray, top: int, wanted: int) -> tuple[Tensor, Tensor]:
        found_scores, found = map(torch.from_numpy, self.index.search(queries.numpy(), wanted))  # (q, wanted)
        if self.candidates == 0:
            scores, indices = found_scores, found
        else:
            found = found.sort(dim=1).values  # then of equal cosines, the lower index is at the left; -1: none
            vectors = torch.from_numpy(rows[found.clamp(min=0).numpy()])  # (q, wanted, d), read from the file
            cosines = torch.einsum("qd, qwd -> qw", queries, vectors).masked_fill(found < 0, -math.inf)
            scores, order = largest(cosines, top)
            indices = found.gather(1, order)
        lacking = (indices < 0).any(dim=1)  # the lists that were read hold fewer than ``top`` vectors
        if lacking.any():
            scores[lacking], indices[lacking] = self._exact(queries[lacking], top)
        return scores, indices

    def _exact(self, queries: Tensor, top: int) -> tuple[Tensor, Tensor]:
        rows, step = self._rows(), AT_ONCE // self.dimension
        chunks = (torch.from_numpy(np.array(rows[at : at + step])) for at in range(0, self.count, step))
        return nearest_in_chunks(queries, chunks, top)

    def _update(self, rows: np.ndarray) -> None:
        """Codes for the vectors that have none yet."""
        self.faiss.omp_set_num_threads(torch.get_num_threads())
        if self.index is None:
            lists = 2 ** round(math.log2(math.sqrt(self.count)))
            # a code for two dimensions each, or for as few as divide the dimensions
            codes = next(count for count in range(max(1, self.dimension // 2), 0, -1) if self.dimension % count == 0)
            kind = f"IVF{lists},PQ{codes}x4fs"  # fs: the form of the codes that is searched fastest
            index = self.faiss.index_factory(self.dimension, kind, self.faiss.METRIC_INNER_PRODUCT)
            sample = np.random.default_rng(0).choice(self.count, min(self.count, max(FEWEST, PER_LIST * lists)), False)
            index.train(rows[np.sort(sample)])
            self.index = index
        step = AT_ONCE // self.dimension
        for at in range(self.index.ntotal, self.count, step):
            self.index.add(np.array(rows[at : at + step]))

    def _rows(self) -> np.ndarray:
        if self.count == 0:
            return np.empty((0, self.dimension), np.float32)
        return np.memmap(self.path, np.float32, "r", shape=(self.count, self.dimension))

    def _saved(self) -> tuple[object | None, int]:
        """The saved index with its number of vectors; None and 0 if there is none that fits."""
        try:
            state = load(self.codes)
            if (state["key"], state["dimension"]) != (self.key, self.dimension):
                return None, 0
            count, codes = state["count"], state["codes"]
            index = self.faiss.deserialize_index(codes.numpy()) if len(codes) else None
            complete = self.path.stat().st_size >= self._bytes(count)
        except (CheckpointError, OSError, KeyError, TypeError, RuntimeError):  # RuntimeError: faiss on damaged codes
            return None, 0
        return (index, count) if complete else (None, 0)

    def _bytes(self, count: int) -> int:
        return 4 * self.dimension * count


def import_faiss() -> ModuleType:
    """Raises ValueError if it is not installed."""
    try:
        import faiss
    except ImportError:
        raise ValueError("--index faiss needs the package faiss: pip install faiss-cpu") from None
    return faiss
