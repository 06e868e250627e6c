"""Wrong parts of the VQA model that people really write. Each must fail the tests of ``vqa.model``."""

import torch
from torch import nn
from torch.nn.functional import normalize

from vqa.model import LENGTH, VQA, lstm_states


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
    """Tempting because torch returns (h, c); a layer that is learned can read any order, published weights cannot."""
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


def not_normalised(features):
    """Tempting because the paper has a model without "norm I" too; full images then saturate the tanh."""
    return LENGTH * features


def normalised_over_the_batch(features):
    """Tempting because dim=0 comes first; an image's vector then depends on its neighbours."""
    return LENGTH * normalize(features, dim=0)


def divided_by_the_sum(features):
    """Tempting because it is a normalisation too; "norm I" is the L2 norm."""
    return LENGTH * normalize(features, p=1, dim=-1)


def _sides(model: VQA, images, questions, image_of):
    q = model.from_question(model.question_encoder(questions))
    v = model.from_image(LENGTH * normalize(model.image_encoder(images), dim=-1))
    return q, v[image_of]


def order_in_place_of_the_index(model, images, questions, image_of):
    """Tempting because questions often come in the order of their images; then nothing says which image is meant."""
    per_image = len(questions) // len(images)
    return model(images, questions, torch.arange(len(questions)) // per_image)


def tanh_after_the_product(model, images, questions, image_of):
    """Tempting because one tanh looks like enough; the paper squashes each side before they meet."""
    q, v = _sides(model, images, questions, image_of)
    return model.classify((q * v).tanh())


def tanh_forgotten_on_the_image(model, images, questions, image_of):
    """Tempting because the image's vector is normalised already; only the question's side then stays within ±1."""
    q, v = _sides(model, images, questions, image_of)
    return model.classify(q.tanh() * v)


def norm_forgotten(model, images, questions, image_of):
    """Tempting because tanh squashes anyway; but where it saturates, the gradient is gone."""
    q, v = model.from_question(model.question_encoder(questions)), model.from_image(model.image_encoder(images))
    return model.classify(q.tanh() * v.tanh()[image_of])


def softmax_in_the_model(model, images, questions, image_of):
    """Tempting because the paper ends with a softmax; ``cross_entropy`` takes another one, and learning is slow."""
    return model(images, questions, image_of).softmax(dim=-1)


def tanh_on_the_sum(model, images, questions, image_of):
    """Tempting because it is "just an activation"; it lets the sides interact, so the comparison shows nothing."""
    q, v = _sides(model, images, questions, image_of)
    return model.classify((q + v).tanh())


CELLS = (gates_in_the_order_of_the_paper, shown_without_tanh, shows_the_old_cell)
STATES = (
    hidden_before_cell,
    all_cells_first,
    states_behind_the_padding,
    only_the_top_layer,
    layers_and_sequences_mixed_up,
)
NORMS = (not_normalised, normalised_over_the_batch, divided_by_the_sum)
ANSWERS = (
    order_in_place_of_the_index,
    tanh_after_the_product,
    tanh_forgotten_on_the_image,
    norm_forgotten,
    softmax_in_the_model,
)
INTERACTIONS = (tanh_on_the_sum, softmax_in_the_model)
