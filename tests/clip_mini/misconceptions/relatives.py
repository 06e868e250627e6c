"""Wrong forms of CLIP's relatives that people really write. Each must fail the tests of
``clip_mini.extensions.relatives``."""

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, logsigmoid

from clip_mini.extensions.relatives import cosine_loss, devise_loss, ranking_loss, semantic_loss, sigmoid_loss
from clip_mini.loss import contrastive_loss


def _diagonal(similarity):
    return torch.eye(len(similarity), dtype=torch.bool)


# SigLIP: (similarity, log_scale, bias)


def softmax_in_place_of_the_sigmoid(similarity, log_scale, bias):
    """Tempting because it is CLIP's loss with a bias; but a softmax does not feel what is added to all its logits."""
    return contrastive_loss(log_scale.exp() * similarity + bias)


def without_the_bias(similarity, log_scale, bias):
    """Tempting because CLIP has none; n - 1 of n answers are "no", and without it all begin at "perhaps"."""
    return sigmoid_loss(similarity, log_scale, 0 * bias)


def mean_over_all_pairs(similarity, log_scale, bias):
    """Tempting because binary_cross_entropy takes means; over n² terms, a pair's own term fades as the batch grows."""
    logits = log_scale.exp() * similarity + bias
    return binary_cross_entropy_with_logits(logits, _diagonal(similarity).to(logits.dtype))


def sum_over_all_pairs(similarity, log_scale, bias):
    """Tempting because the paper has a double sum; the learning rate then depends on the batch size."""
    return len(similarity) * sigmoid_loss(similarity, log_scale, bias)


def bias_subtracted(similarity, log_scale, bias):
    """Tempting because the paper writes -t x·y - b inside the exponential; b itself starts at -10, not at 10."""
    return sigmoid_loss(similarity, log_scale, -bias)


def divided_by_the_scale(similarity, log_scale, bias):
    """Tempting because t is called a temperature; the paper multiplies by it."""
    return sigmoid_loss(similarity, -log_scale, bias)


def scale_without_exp(similarity, log_scale, bias):
    """Tempting because t and t' look alike; the parameter is the logarithm, so that the scale stays positive."""
    return sigmoid_loss(similarity, log_scale.log(), bias) if log_scale > 0 else sigmoid_loss(
        -similarity, (-log_scale).log(), bias
    )  # fmt: skip


def labels_zero_and_one(similarity, log_scale, bias):
    """Tempting because labels are 0 and 1 elsewhere; ln σ(0) = -ln 2 then replaces every mismatched pair's term."""
    logits = log_scale.exp() * similarity + bias
    return -logsigmoid(_diagonal(similarity) * logits).sum() / len(similarity)


def sigmoid_then_log(similarity, log_scale, bias):
    """Tempting because the equation reads so; far from 0, σ is 0 or 1 and the loss is infinite."""
    p = (log_scale.exp() * similarity + bias).sigmoid()
    return -torch.where(_diagonal(similarity), p.log(), (1 - p).log()).sum() / len(similarity)


# DeViSE: (similarity, margin)


def own_text_counted_as_wrong(similarity, margin):
    """Tempting because it saves a mask; every image then pays the margin for its own text, and the loss is never 0."""
    return (margin - similarity.diagonal()[:, None] + similarity).relu().sum(dim=1).mean()


def margin_on_the_wrong_side(similarity, margin):
    """Tempting because signs are easily exchanged; a wrong text may then be ahead of the right one by the margin."""
    return devise_loss(similarity, -margin)


def texts_in_place_of_images(similarity, margin):
    """Tempting because the matrix is square; column j compares text j with wrong images, the other direction."""
    return devise_loss(similarity.T, margin)


def right_score_of_the_column(similarity, margin):
    """Tempting because ``S - S.diagonal()`` broadcasts; it takes S_jj, of another image with the wrong text."""
    return (margin - similarity.diagonal() + similarity).relu().masked_fill(_diagonal(similarity), 0.0).sum(1).mean()


def mean_over_the_wrong_texts(similarity, margin):
    """Tempting because losses are means; equation 1 sums over the wrong labels."""
    return devise_loss(similarity, margin) / (len(similarity) - 1)


def without_the_hinge(similarity, margin):
    """Tempting because the gradient is never 0 then; pairs that are right pull as hard as those that are wrong."""
    wrong = (margin - similarity.diagonal()[:, None] + similarity).masked_fill(_diagonal(similarity), 0.0)
    return wrong.sum(dim=1).mean()


def squared_hinge(similarity, margin):
    """Tempting because it is smooth, and a usual choice in support vector machines; the paper's is linear."""
    wrong = (margin - similarity.diagonal()[:, None] + similarity).relu().square()
    return wrong.masked_fill(_diagonal(similarity), 0.0).sum(dim=1).mean()


# Kiros et al.: (similarity, margin)


def mean_of_both_directions(similarity, margin):
    """Tempting because CLIP halves the sum; Kiros et al. do not."""
    return ranking_loss(similarity, margin) / 2


def both_directions_by_rows(similarity, margin):
    """Tempting because "twice" looks symmetric; wrong images are never compared."""
    return 2 * devise_loss(similarity, margin)


# VSE++: (similarity, margin)


def _hinge(similarity, margin):
    return (margin - similarity.diagonal()[:, None] + similarity).relu()


def hardest_over_the_wrong_axis(similarity, margin):
    """Tempting because dim=0 comes first; the maximum over the images of a row-wise hinge compares nothing."""
    hinges = [_hinge(s, margin).masked_fill(_diagonal(s), 0.0) for s in (similarity, similarity.T)]
    return sum(hinge.amax(dim=0).mean() for hinge in hinges)


def hardest_is_itself(similarity, margin):
    """Tempting because it saves a mask; once a pair is right, its own text is the nearest, at exactly the margin."""
    return sum(_hinge(s, margin).amax(dim=1).mean() for s in (similarity, similarity.T))


def hardest_of_the_batch(similarity, margin):
    """Tempting because ``max()`` without dim runs; one pair of the batch then learns, and the others do not."""
    return sum(_hinge(s, margin).masked_fill(_diagonal(s), 0.0).amax() for s in (similarity, similarity.T))


def easiest_negative(similarity, margin):
    """Tempting because distances have their minimum where similarities have their maximum."""
    hinges = [_hinge(s, margin).masked_fill(_diagonal(s), torch.inf) for s in (similarity, similarity.T)]
    return sum(hinge.amin(dim=1).mean() for hinge in hinges)


# Recipes, cosine: (similarity, margin, matched)


def mean_over_all_cosines(similarity, margin, matched):
    """Tempting because it is one ``mean``; of n² pairs n are matched, and the matched ones fade."""
    wrong = (similarity - margin).relu()
    return torch.where(_diagonal(similarity), 1 - similarity, wrong).mean()


def own_pair_among_the_mismatched(similarity, margin, matched):
    """Tempting because it saves a mask; every pair is then pushed apart with its own text, too."""
    wrong = (similarity - margin).relu().mean()
    return matched * (1 - similarity.diagonal()).mean() + (1 - matched) * wrong


def margin_added_to_the_cosine(similarity, margin, matched):
    """Tempting because in ranking losses the margin is added; here mismatched pairs are left alone below it."""
    return cosine_loss(similarity, -margin, matched)


def margin_for_matched_pairs_too(similarity, margin, matched):
    """Tempting for symmetry; the paper pulls matched pairs all the way to a cosine of 1."""
    right = (1 - margin - similarity.diagonal()).relu().mean()
    return cosine_loss(similarity, margin, matched) + matched * (right - (1 - similarity.diagonal()).mean())


def mismatched_pulled_to_minus_one(similarity, margin, matched):
    """Tempting because 1 + cos mirrors 1 - cos; in high dimensions, not all mismatched pairs can be opposite."""
    wrong = (1 + similarity).masked_fill(_diagonal(similarity), 0.0).sum()
    n = len(similarity)
    return matched * (1 - similarity.diagonal()).mean() + (1 - matched) * wrong / (n * (n - 1))


def shares_exchanged(similarity, margin, matched):
    """Tempting because positives seem to be the data; in the paper 80% of the drawn pairs are mismatched."""
    return cosine_loss(similarity, margin, 1 - matched)


# Recipes, classes: (image_logits, text_logits, classes)


def background_as_a_class(image_logits, text_logits, classes):
    """Tempting because 0 is a number like the others; all that has no label is then pulled to one place."""
    return cross_entropy(torch.cat([image_logits, text_logits]), classes.repeat(2))


def background_in_the_mean(image_logits, text_logits, classes):
    """Tempting because the batch has n pairs; the more of them have no class, the less the others count."""
    labelled = (classes != 0).sum().clamp(min=1)
    return semantic_loss(image_logits, text_logits, classes) * labelled / len(classes)


def images_only(image_logits, text_logits, classes):
    """Tempting because classifiers read images; only a classifier that both sides share aligns them."""
    return semantic_loss(image_logits, image_logits, classes)


def sum_of_both_sides(image_logits, text_logits, classes):
    """Tempting because the losses are written as a sum; lambda is then twice as large."""
    return 2 * semantic_loss(image_logits, text_logits, classes)


def classes_of_the_sides_interleaved(image_logits, text_logits, classes):
    """Tempting because ``repeat_interleave`` sounds like ``repeat``; images then get their neighbours' classes."""
    return cross_entropy(torch.cat([image_logits, text_logits]), classes.repeat_interleave(2), ignore_index=0)


SIGMOID = (
    softmax_in_place_of_the_sigmoid,
    without_the_bias,
    mean_over_all_pairs,
    sum_over_all_pairs,
    bias_subtracted,
    divided_by_the_scale,
    scale_without_exp,
    labels_zero_and_one,
    sigmoid_then_log,
)
DEVISE = (
    own_text_counted_as_wrong,
    margin_on_the_wrong_side,
    texts_in_place_of_images,
    right_score_of_the_column,
    mean_over_the_wrong_texts,
    without_the_hinge,
    squared_hinge,
)
RANKING = (mean_of_both_directions, both_directions_by_rows)
HARDEST = (hardest_over_the_wrong_axis, hardest_is_itself, hardest_of_the_batch, easiest_negative)
COSINE = (
    mean_over_all_cosines,
    own_pair_among_the_mismatched,
    margin_added_to_the_cosine,
    margin_for_matched_pairs_too,
    mismatched_pulled_to_minus_one,
    shares_exchanged,
)
SEMANTIC = (
    background_as_a_class,
    background_in_the_mean,
    images_only,
    sum_of_both_sides,
    classes_of_the_sides_interleaved,
)
