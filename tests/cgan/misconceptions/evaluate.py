"""Wrong measures, each with the reason why it is tempting."""

import torch

from cgan.data import SIGMA, ring_means


def of_any_mode(points, labels, sigmas=3.0):
    """Tempting because without labels nothing else can be measured. A generator that mixes up all labels is perfect."""
    distances = torch.cdist(points, ring_means()).min(dim=1).values
    return (distances <= sigmas * SIGMA).double().mean().item()


def along_each_axis(points, labels, sigmas=3.0):
    """Tempting because "within 3σ" means 99.7% in one dimension; in two it is a circle, and 98.9%."""
    return ((points - ring_means()[labels]).abs() <= sigmas * SIGMA).all(dim=1).double().mean().item()


WITHIN = (of_any_mode, along_each_axis)


def without_the_root(a, b):
    """Tempting because the formula looks like squares of sums; without the root, FID of a set with itself is not 0."""
    a, b = a.double(), b.double()
    ca, cb = torch.cov(a.T), torch.cov(b.T)
    return ((a.mean(0) - b.mean(0)).square().sum() + ca.trace() + cb.trace() - 2 * (ca @ cb).trace()).item()


def entry_by_entry(a, b):
    """Tempting because ``.sqrt()`` of a matrix runs; it is the root of each entry, not of the matrix."""
    a, b = a.double(), b.double()
    ca, cb = torch.cov(a.T), torch.cov(b.T)
    root = (ca @ cb).clamp(min=0).sqrt()
    return ((a.mean(0) - b.mean(0)).square().sum() + ca.trace() + cb.trace() - 2 * root.trace()).item()


def distance_not_squared(a, b):
    """Tempting because it is called a distance; the formula is that of its square."""
    from cgan.evaluate import frechet_distance

    gap = (a.double().mean(0) - b.double().mean(0)).square().sum().item()
    return frechet_distance(a, b) - gap + gap**0.5


FRECHET = (without_the_root, entry_by_entry, distance_not_squared)


def with_itself(features, labels):
    """Tempting because the mean of a whole matrix is one call; its diagonal is 0, and few samples seem more alike."""
    return {
        k: torch.cdist(features[labels == k], features[labels == k]).mean().item() for k in labels.unique().tolist()
    }


def over_all_labels(features, labels):
    """Tempting because one number is enough; different labels are far apart, also where each one has collapsed."""
    return dict.fromkeys(labels.unique().tolist(), torch.pdist(features).mean().item())


DIVERSITIES = (with_itself, over_all_labels)
