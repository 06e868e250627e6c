"""Exact and approximate search: recall@10 against exact search, and queries per second.

The vectors are drawn at random in 128 dimensions, with two properties of real embeddings. They lie in clusters: each is
the unit vector of one of 1,000 centres plus noise that is 0.7 times as long. And a few directions hold most of the
variance: that of the k-th principal direction falls as 1/k, for centres and noise alike. The queries are drawn in the
same way and are not among the vectors.

Every candidate gets the queries in one batch of 100. Recall@10 is the share of the ten nearest vectors that a
candidate finds among its ten. The time to build an index is given beside it.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import normalize

from clip_mini.extensions.search import FaissIndex, import_faiss, nearest
from lab.timing import alternately, table

SIZES = (10**4, 10**5, 10**6)  # vectors
DIMENSION, CLUSTERS, NOISE = 128, 1000, 0.7
QUERIES, TOP = 100, 10
SETTINGS = {  # of FaissIndex: probes, and candidates for each result
    "lists, 8 probes, re-ranked": (8, 10),
    "lists, 32 probes, re-ranked": (32, 10),
    "lists, 128 probes, re-ranked": (128, 30),
    "lists, 32 probes, codes only": (32, 0),
}
OURS, FLAT = "exact, ours", "exact, faiss"
THREADS = 2
CHUNK = 100_000  # vectors that are drawn, or added to an index, together


def like_embeddings(n: int, seed: int, dimension: int = DIMENSION) -> Float[Tensor, "n d"]:
    """Unit vectors in clusters, whose variance falls from direction to direction (see above)."""
    fixed, generator = torch.Generator().manual_seed(0), torch.Generator().manual_seed(seed)
    deviations = torch.arange(1, dimension + 1) ** -0.5  # of the principal directions
    rotation = torch.linalg.qr(torch.randn(dimension, dimension, generator=fixed)).Q
    centres = torch.randn(CLUSTERS, dimension, generator=fixed) * deviations
    parts = []
    for at in range(0, n, CHUNK):
        rows = min(CHUNK, n - at)
        near = centres[torch.randint(CLUSTERS, (rows,), generator=generator)]
        noise = torch.randn(rows, dimension, generator=generator) * deviations
        parts.append(normalize((near + NOISE * noise) @ rotation, dim=1))
    return torch.cat(parts)


def recall(found: Int[Tensor, "q k"], exact: Int[Tensor, "q k"]) -> float:
    """The share of the ``exact`` indices that are among the found ones of the same query."""
    return (exact[:, :, None] == found[:, None]).any(dim=2).double().mean().item()


def measure(sizes: Sequence[int] = SIZES, repetitions: int = 3) -> tuple[str, dict[str, Any]]:
    """The table, and its numbers: for each size and candidate recall, queries per second, and seconds to build."""
    faiss, threads = import_faiss(), torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        with tempfile.TemporaryDirectory() as folder:
            measured = {str(n): compare(faiss, n, repetitions, Path(folder)) for n in sizes}
    finally:
        torch.set_num_threads(threads)
    results = {
        "dimension": DIMENSION, "clusters": CLUSTERS, "noise": NOISE, "queries": QUERIES, "top": TOP,
        "repetitions": repetitions, "threads": THREADS, "sizes": measured,
    }  # fmt: skip
    return "\n\n".join(size_table(n, measured[str(n)]) for n in sizes), results


def size_table(n: int, measured: Mapping[str, Mapping[str, float]]) -> str:
    rows = [(f"{n:,} vectors", f"recall@{TOP}", "queries/s", "built in s")]
    for name, cell in measured.items():
        rows.append(
            (name, f"{cell['recall']:.3f}", f"{cell['queries_per_second']:,.0f}", f"{cell['build_seconds']:.1f}")
        )
    return table(rows)


def compare(faiss: Any, n: int, repetitions: int, folder: Path) -> dict[str, dict[str, float]]:
    """All candidates on n vectors."""
    vectors, queries = like_embeddings(n, 1), like_embeddings(QUERIES, 2)
    index = FaissIndex(folder / str(n), DIMENSION, "bench")
    faiss.omp_set_num_threads(THREADS)
    flat = faiss.IndexFlatIP(DIMENSION)
    flat_seconds = seconds(lambda: flat.add(vectors.numpy()))

    def build() -> None:
        for chunk in vectors.split(CHUNK):
            index.add(chunk)
        index.search(queries[:1], 1)  # the codes are learned and computed

    def approximate(probes: int, candidates: int) -> Tensor:
        index.probes, index.candidates = probes, candidates
        return index.search(queries, TOP)[1]

    index_seconds = seconds(build)
    candidates: dict[str, Callable[[], Tensor]] = {
        OURS: lambda: nearest(queries, vectors, TOP)[1],
        FLAT: lambda: torch.from_numpy(flat.search(queries.numpy(), TOP)[1]),
        **{name: lambda setting=setting: approximate(*setting) for name, setting in SETTINGS.items()},
    }
    exact = candidates[OURS]()
    times = alternately(candidates, repetitions)
    built = {OURS: 0.0, FLAT: flat_seconds}
    return {
        name: {
            "recall": recall(candidates[name](), exact),
            "queries_per_second": QUERIES / statistics.median(times[name]),
            "build_seconds": built.get(name, index_seconds),
        }
        for name in candidates
    }


def seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun
