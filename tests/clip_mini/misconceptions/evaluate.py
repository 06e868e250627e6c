"""Wrong recalls that people really write. The tests of ``clip_mini.evaluate`` catch each."""

import torch

from clip_mini.evaluate import IMAGE_TO_TEXT, KS, TEXT_TO_IMAGE, recall_at_k


def _recall(rank_of_text, rank_of_image, ks):
    return {
        f"{direction} R@{k}": (rank < k).double().mean().item()
        for direction, rank in ((IMAGE_TO_TEXT, rank_of_text), (TEXT_TO_IMAGE, rank_of_image))
        for k in ks
    }


def _ranks(similarity, image_of, of_best=True, before=torch.ge):
    n, m = similarity.shape
    right = image_of == torch.arange(n)[:, None]
    own_texts = similarity.masked_fill(~right, -torch.inf)
    best = own_texts.amax(dim=1) if of_best else similarity[torch.arange(n), right.int().argmax(dim=1)]
    own = similarity[image_of, torch.arange(m)]
    return (before(similarity, best[:, None]) & ~right).sum(dim=1), (before(similarity, own) & ~right).sum(dim=0)


def ties_for_the_model(similarity, image_of, ks=KS):
    """Tempting because "nearer" is ``>``; a model that gives the same vector to everything is then always right."""
    return _recall(*_ranks(similarity, image_of, before=torch.gt), ks)


def sorted_by_index(similarity, image_of, ks=KS):
    """Tempting because ``topk`` is one word; of equal ones it takes the first, and that is often the right one."""
    right = image_of == torch.arange(len(similarity))[:, None]
    order = similarity.argsort(dim=1, descending=True, stable=True)
    rank_of_text = right.gather(1, order).int().argmax(dim=1)
    order = similarity.argsort(dim=0, descending=True, stable=True)
    return _recall(rank_of_text, right.gather(0, order).int().argmax(dim=0), ks)


def first_caption_only(similarity, image_of, ks=KS):
    """Tempting because row i and column i belong together; an image with five captions may be found by any of them."""
    return _recall(*_ranks(similarity, image_of, of_best=False), ks)


def mean_of_the_own_captions(similarity, image_of, ks=KS):
    """Tempting because a mean uses all captions; an image is found as soon as one of its captions is."""
    right = image_of == torch.arange(len(similarity))[:, None]
    places = similarity.argsort(dim=1, descending=True).argsort(dim=1)
    mean_place = (places * right).sum(dim=1) / right.sum(dim=1)
    return _recall(mean_place, _ranks(similarity, image_of)[1], ks)


def directions_exchanged(similarity, image_of, ks=KS):
    """Tempting because "image to text" may be read as "the image that is found"; the query comes first."""
    to_image, to_text = _ranks(similarity, image_of)
    return _recall(to_text, to_image, ks)


def k_counted_from_zero(similarity, image_of, ks=KS):
    """Tempting because ranks begin with 0; R@1 then counts the second nearest, too."""
    both = _ranks(similarity, image_of)
    return _recall(*(rank - 1 for rank in both), ks)


def nearest_is_smallest(similarity, image_of, ks=KS):
    """Tempting because neighbours have the smallest distance; a similarity is the largest."""
    return recall_at_k(-similarity, image_of, ks)


RECALLS = (
    ties_for_the_model, sorted_by_index, first_caption_only, mean_of_the_own_captions, directions_exchanged,
    k_counted_from_zero, nearest_is_smallest,
)  # fmt: skip
