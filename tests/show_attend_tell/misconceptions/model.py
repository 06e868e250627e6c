"""Wrong parts of the captioner that people really write. Each must fail the tests of ``show_attend_tell.model``."""

from functools import partial

import torch

from show_attend_tell.model import attend, lstm_cell, soft_attention

# one step of the LSTM


def _gates(x, h, weight_x, weight_h, bias):
    return (x @ weight_x.T + h @ weight_h.T + bias).chunk(4, dim=-1)


def gates_in_the_order_of_the_equation(x, h, c, weight_x, weight_h, bias):
    """Tempting because equation 1 lists i, f, o, g; the rows of torch's weights hold i, f, g, o."""
    i, f, o, g = _gates(x, h, weight_x, weight_h, bias)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def candidate_through_a_sigmoid(x, h, c, weight_x, weight_h, bias):
    """Tempting because one call squashes all four; g then is never negative, and the cell can only grow."""
    i, f, g, o = (gate.sigmoid() for gate in _gates(x, h, weight_x, weight_h, bias))
    c = f * c + i * g
    return o * c.tanh(), c


def shown_without_tanh(x, h, c, weight_x, weight_h, bias):
    """Tempting because "Show and Tell" has it so (its equation 8); equation 3 has a tanh, as c_t adds up and grows."""
    i, f, g, o = _gates(x, h, weight_x, weight_h, bias)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c, c


def shows_the_old_cell(x, h, c, weight_x, weight_h, bias):
    """Tempting because equations 2 and 3 both say "c"; h_t must come from c_t."""
    i, f, g, o = _gates(x, h, weight_x, weight_h, bias)
    return o.sigmoid() * c.tanh(), f.sigmoid() * c + i.sigmoid() * g.tanh()


CELLS = (
    gates_in_the_order_of_the_equation,
    candidate_through_a_sigmoid,
    shown_without_tanh,
    shows_the_old_cell,
)

# the weights of the places


def softmax_over_the_images(scores):
    """Tempting because dim=0 comes first; the weights then add up to 1 over the batch."""
    return scores.softmax(dim=0)


def each_place_by_itself(scores):
    """Tempting because a place "is looked at or not"; without a common sum, z is no mean of the annotations."""
    return scores.sigmoid()


def scaled_scores(scores):
    """Tempting because Transformers divide by a square root; equation 5 does not."""
    return (scores / scores.shape[-1] ** 0.5).softmax(dim=-1)


def normalised_without_exp(scores):
    """Tempting because weights that add up to 1 are all that is asked for; but they can be negative."""
    return scores / scores.sum(dim=-1, keepdim=True)


WEIGHTS = (softmax_over_the_images, each_place_by_itself, scaled_scores, normalised_without_exp)

# the context


def unweighted_mean(weights, vectors):
    """Tempting because the shape is right and training works; it is the model without attention."""
    return vectors.mean(dim=-2).expand(*weights.shape[:-1], -1)


def weighted_and_divided_by_the_places(weights, vectors):
    """Tempting because "the expected annotation" is a mean; the weights add up to 1 already."""
    return (weights[..., None] * vectors).mean(dim=-2)


def the_best_place_alone(weights, vectors):
    """Tempting because it is "where the model looks"; argmax has no gradient, so the attention learns nothing."""
    best = weights.argmax(dim=-1)[..., None, None].expand(*weights.shape[:-1], 1, vectors.shape[-1])
    return vectors.expand(*weights.shape, -1).gather(-2, best)[..., 0, :]


CONTEXTS = (unweighted_mean, weighted_and_divided_by_the_places, the_best_place_alone)

# the whole model


def _captions(
    model, images, captions, *, start="mean", look="before", beta="h", in_gates=True, shown=True, before_output="sum",
    word=0, out="h",
):  # fmt: skip
    """Teacher forcing in plain loops; each argument names what is done in another way."""
    annotations = model.project(images)
    mean = images.sum(dim=1) if start == "sum" else images.mean(dim=1)
    h, c = model.start_h(mean).tanh(), model.start_c(mean).tanh()
    if start == "zeros":
        h, c = torch.zeros_like(h), torch.zeros_like(c)
    if start == "exchanged":
        h, c = c, h
    rows = []
    for t in range(captions.shape[1] - 1):
        embedded = model.embed(captions[:, t + word])
        if look == "after":  # the LSTM first, with the context of the word before
            before = rows[-1][2] if rows else torch.zeros_like(mean)
            x = torch.cat([embedded, before], dim=-1)
            h, c = lstm_cell(x, h, c, model.weight_x, model.weight_h, model.bias)
        weights = attend(model.scores(c if look == "cell" else h, annotations))
        context = soft_attention(weights, annotations.vectors)
        if beta == "each":
            context = context * model.gate(h).sigmoid().mean(dim=0)
        elif beta == "h":
            context = context * model.gate(h).sigmoid()
        elif beta == "softened":
            context = context * model.gate(h).tanh()
        old = h
        if look != "after":
            x = torch.cat([embedded, context if in_gates else torch.zeros_like(context)], dim=-1)
            h, c = lstm_cell(x, h, c, model.weight_x, model.weight_h, model.bias)
        summed = model.from_hidden(old if out == "old" else h) + embedded
        if shown:
            summed = summed + model.from_context(context)
        if out == "without the word":
            summed = summed - embedded
        logits = model.output(summed.tanh() if before_output == "tanh" else summed)
        rows.append((logits.softmax(dim=-1) if before_output == "softmax" else logits, weights, context))
    return torch.stack([row[0] for row in rows], dim=1), torch.stack([row[1] for row in rows], dim=1)


def _wrong(name: str, why: str, **changes):
    function = partial(_captions, **changes)
    function.__name__, function.__doc__ = name, why
    return function


FORWARDS = (
    _wrong(
        "looks_after_the_word",
        "Tempting because later models do so (Lu et al. 2017); in this paper α_t comes from h_{t-1}.",
        look="after",
    ),
    _wrong(
        "looks_with_the_cell",
        "Tempting because torch returns (h, c), and c has the same shape.",
        look="cell",
    ),
    _wrong(
        "context_not_in_the_gates",
        "Tempting because the output layer sees the context anyway; the LSTM then never knows what was seen.",
        in_gates=False,
    ),
    _wrong(
        "context_not_in_the_output",
        "Tempting because h_t has read the context; equation 7 adds L_z z_t.",
        shown=False,
    ),
    _wrong(
        "without_beta",
        "Tempting because equation 13 has no β; section 4.2.1 adds it.",
        beta=None,
    ),
    _wrong(
        "beta_through_tanh",
        "Tempting because the LSTM's new content has a tanh; a gate lies between 0 and 1.",
        beta="softened",
    ),
    _wrong(
        "one_beta_for_the_batch",
        "Tempting because β is called a scalar; it is one number for each image and word.",
        beta="each",
    ),
    _wrong(
        "zeros_at_the_start",
        "Tempting because it is what torch does by itself; the paper starts from the mean annotation.",
        start="zeros",
    ),
    _wrong(
        "sum_at_the_start",
        "Tempting because the attention's sum needs no division; the mean does.",
        start="sum",
    ),
    _wrong(
        "start_states_exchanged",
        "Tempting because the paper names c_0 first, and torch h.",
        start="exchanged",
    ),
    _wrong(
        "tanh_before_the_output",
        "Tempting because the authors' code has it; equation 7 does not.",
        before_output="tanh",
    ),
    _wrong(
        "softmax_in_the_model",
        "Tempting because equation 7 gives probabilities; the loss takes another softmax, and learning is slow.",
        before_output="softmax",
    ),
    _wrong(
        "reads_the_word_that_it_predicts",
        "Tempting because captions and targets are one tensor; the loss is then near 0, and the captions are nonsense.",
        word=1,
    ),
    _wrong(
        "output_from_the_state_before",
        "Tempting because the attention uses h_{t-1}; equation 7 has h_t.",
        out="old",
    ),
    _wrong(
        "output_without_the_word",
        "Tempting because h_t has read y_{t-1}; equation 7 adds E y_{t-1}.",
        out="without the word",
    ),
)


def image_before_each_word(model, annotations, captions):
    """Tempting because the image seems to matter for every word; "Show and Tell" shows it once, and says why."""
    mean = model.show(annotations.mean(dim=1))
    h = c = annotations.new_zeros(len(annotations), model.weight_h.shape[1])
    h, c = lstm_cell(mean, h, c, model.weight_x, model.weight_h, model.bias)
    rows = []
    for t in range(captions.shape[1] - 1):
        embedded = model.embed(captions[:, t])
        h, c = lstm_cell(embedded + mean, h, c, model.weight_x, model.weight_h, model.bias)
        rows.append(model.output(embedded + model.from_hidden(h)))
    logits = torch.stack(rows, dim=1)
    return logits, torch.full((*logits.shape[:2], annotations.shape[1]), 1 / annotations.shape[1]).double()


def image_as_the_first_state(model, annotations, captions):
    """Tempting because "Show, Attend and Tell" does so; "Show and Tell" reads the image as a word."""
    h = model.show(annotations.mean(dim=1))[:, : model.weight_h.shape[1]]
    h = torch.nn.functional.pad(h, (0, model.weight_h.shape[1] - h.shape[1]))
    c, rows = torch.zeros_like(h), []
    for t in range(captions.shape[1] - 1):
        embedded = model.embed(captions[:, t])
        h, c = lstm_cell(embedded, h, c, model.weight_x, model.weight_h, model.bias)
        rows.append(model.output(embedded + model.from_hidden(h)))
    logits = torch.stack(rows, dim=1)
    return logits, torch.full((*logits.shape[:2], annotations.shape[1]), 1 / annotations.shape[1]).double()


SHOW_AND_TELL = (image_before_each_word, image_as_the_first_state)
