"""Other correct solutions of the captioner's exercises, written without the real ones. The judge must accept them."""

import torch


def loss_caption_loss(logits, targets):
    log_p = logits - logits.logsumexp(-1, keepdim=True)
    of_words = torch.take_along_dim(log_p, targets[..., None], -1)[..., 0]
    is_word = targets != 0
    return -of_words[is_word].sum() / is_word.sum()


def model_lstm_cell(x, h, c, weight_x, weight_h, bias):
    size = h.shape[-1]
    parts = torch.cat([x, h], -1) @ torch.cat([weight_x, weight_h], 1).T + bias
    keep = torch.sigmoid(parts[..., size : 2 * size])
    new = torch.sigmoid(parts[..., :size]) * torch.tanh(parts[..., 2 * size : 3 * size])
    cell = keep * c + new
    return torch.sigmoid(parts[..., 3 * size :]) * torch.tanh(cell), cell


def model_attend(scores):
    powers = (scores - scores.amax(-1, keepdim=True)).exp()
    return powers / powers.sum(-1, keepdim=True)


def model_soft_attention(weights, vectors):
    return (weights[..., None, :] @ vectors)[..., 0, :]
