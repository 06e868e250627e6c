"""Wrong parts of the VQA model that people really write. Each must fail the tests of ``vqa.model``."""

import torch
from torch import nn
from torch.nn.functional import normalize

from vqa.model import CONSTANT, VQA, lstm_states, pool


def _gates(x, h, weight_x, weight_h, bias):
    return (x @ weight_x.T + h @ weight_h.T + bias).chunk(4, dim=-1)


def gates_in_the_order_of_the_paper(x, h, c, weight_x, weight_h, bias):
    """Tempting because texts list input, forget, output, candidate; the rows of torch's weights hold i, f, g, o."""
    i, f, o, g = _gates(x, h, weight_x, weight_h, bias)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def shown_without_tanh(x, h, c, weight_x, weight_h, bias):
    """Tempting because g is squashed already; but the cell adds up from word to word, and grows."""
    i, f, g, o = _gates(x, h, weight_x, weight_h, bias)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()
    return o.sigmoid() * c, c


def shows_the_old_cell(x, h, c, weight_x, weight_h, bias):
    """Tempting because both lines are written with "c"; h must come from the new one."""
    i, f, g, o = _gates(x, h, weight_x, weight_h, bias)
    return o.sigmoid() * c.tanh(), f.sigmoid() * c + i.sigmoid() * g.tanh()


def hidden_before_cell(lstm, x, lengths):
    """Tempting because torch returns (h, c); to a learned layer it is all one, to published weights it is not."""
    states = lstm_states(lstm, x, lengths)
    n, hidden = len(x), lstm.hidden_size
    return states.view(n, lstm.num_layers, 2, hidden).flip(2).flatten(1)


def all_cells_first(lstm, x, lengths):
    """Tempting because it is one ``cat``: [c1, c2, h1, h2] instead of layer by layer."""
    n, hidden = len(x), lstm.hidden_size
    return lstm_states(lstm, x, lengths).view(n, lstm.num_layers, 2, hidden).transpose(1, 2).flatten(1)


def states_behind_the_padding(lstm, x, lengths):
    """Tempting because it needs no lengths; a short question's states then depend on the longest one in the batch."""
    return lstm_states(lstm, x, torch.full_like(lengths, x.shape[1]))


def only_the_top_layer(lstm, x, lengths):
    """Tempting because "the output of an LSTM" is its last layer; the paper's vector holds both layers' states."""
    return lstm_states(lstm, x, lengths)[:, -2 * lstm.hidden_size :]


def layers_and_sequences_mixed_up(lstm, x, lengths):
    """Tempting because ``view`` gives the right shape; without a transpose a row holds other sequences' states."""
    _, (h, c) = lstm(nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False))
    return torch.stack([c, h], dim=1).reshape(len(x), -1)


def moments_with_axes_swapped(grid):
    """Tempting because (x, y) is how points are written; a grid is stored (y, x)."""
    total, across, down = pool(grid).chunk(3, dim=1)
    return torch.cat([total, down, across], dim=1)


def moments_per_feature_mass(grid):
    """Tempting because that is a centre of mass; it divides by what may be zero, and loses how much there is."""
    total, across, down = pool(grid).chunk(3, dim=1)
    return torch.cat([total, across / total, down / total], dim=1)


def pixels_counted_from_zero(grid):
    """Tempting because ``arange`` is at hand; the moments then grow with the grid, and hold the sum once more."""
    h, w = grid.shape[-2:]
    across, down = torch.arange(w).to(grid), torch.arange(h).to(grid)
    return torch.cat([grid.sum((2, 3)), grid.sum(2) @ across, grid.sum(3) @ down], dim=1)


def one_softmax_for_all_names(stream, images):
    """Tempting because one call is enough; a thing that is surely red has then no probability left for its shape."""
    centre, names = stream.detect(images).split([1, sum(stream.attributes)], dim=1)
    return centre.sigmoid() * torch.cat([torch.ones_like(centre), names.softmax(dim=1)], dim=1)


def softmax_over_the_places(stream, images):
    """Tempting because attention does so; a picture with two things would then hold half of each."""
    centre, *names = stream.detect(images).split([1, *stream.attributes], dim=1)
    objectness = centre.flatten(1).softmax(dim=1).view_as(centre)
    return torch.cat([objectness, *(objectness * logits.softmax(dim=1) for logits in names)], dim=1)


def names_of_nothing(stream, images):
    """Tempting because a softmax is a probability already; empty ground then counts as things with names."""
    centre, *names = stream.detect(images).split([1, *stream.attributes], dim=1)
    return torch.cat([centre.sigmoid(), *(logits.softmax(dim=1) for logits in names)], dim=1)


def _pooled(stream, images):
    return pool(stream.combine(stream.describe(images)).relu())


def not_normalised(stream, images):
    """Tempting because the paper has a model without "norm I" too; full pictures then shout the question down."""
    return torch.cat([_pooled(stream, images), torch.full((len(images), 1), CONSTANT).to(images)], dim=1)


def normalised_over_the_batch(stream, images):
    """Tempting because dim=0 comes first; a picture's vector then depends on its neighbours."""
    return CONSTANT * normalize(not_normalised(stream, images), dim=0)


def normalised_without_the_constant(stream, images):
    """Tempting because it is what the paper says; features that are sums then no longer say how many there are."""
    vectors = CONSTANT * normalize(_pooled(stream, images), dim=-1)
    return torch.cat([vectors, torch.zeros_like(vectors[:, :1])], dim=1)


def _sides(model: VQA, images, questions):
    q = model.from_question(model.question_stream(questions))
    return q, model.from_image(model.image_stream(images)).repeat_interleave(len(questions) // len(images), dim=0)


def images_tiled(model, images, questions):
    """Tempting because ``repeat`` has the shorter name; question 1 is then about picture 1, and not about picture 0."""
    q, v = model.from_question(model.question_stream(questions)), model.from_image(model.image_stream(images))
    return model.classify(q.tanh() * v.repeat(len(questions) // len(images), 1).tanh())


def tanh_after_the_product(model, images, questions):
    """Tempting because one tanh looks like enough; the paper squashes each side before they meet."""
    q, v = _sides(model, images, questions)
    return model.classify((q * v).tanh())


def tanh_forgotten_on_the_picture(model, images, questions):
    """Tempting because the picture's vector is normalised already; only the question's side then stays within ±1."""
    q, v = _sides(model, images, questions)
    return model.classify(q.tanh() * v)


def softmax_in_the_model(model, images, questions):
    """Tempting because the paper ends with a softmax; ``cross_entropy`` takes another one, and learning crawls."""
    return model(images, questions).softmax(dim=-1)


def tanh_on_the_sum(model, images, questions):
    """Tempting because it is "just an activation"; it lets the streams interact, so the comparison shows nothing."""
    q, v = _sides(model, images, questions)
    return model.classify((q + v).tanh())


CELLS = (gates_in_the_order_of_the_paper, shown_without_tanh, shows_the_old_cell)
STATES = (
    hidden_before_cell,
    all_cells_first,
    states_behind_the_padding,
    only_the_top_layer,
    layers_and_sequences_mixed_up,
)
POOLS = (moments_with_axes_swapped, moments_per_feature_mass, pixels_counted_from_zero)
DESCRIPTIONS = (one_softmax_for_all_names, softmax_over_the_places, names_of_nothing)
NORMS = (not_normalised, normalised_over_the_batch, normalised_without_the_constant)
ANSWERS = (images_tiled, tanh_after_the_product, tanh_forgotten_on_the_picture, softmax_in_the_model)
INTERACTIONS = (tanh_on_the_sum, softmax_in_the_model)
ALL = tuple({*CELLS, *STATES, *POOLS, *DESCRIPTIONS, *NORMS, *ANSWERS, *INTERACTIONS})
