"""Other correct solutions of word2vec's exercises, written without the real ones. The judge must accept them."""

import torch


def loss_softmax_loss(scores, contexts):
    rows = torch.arange(len(scores))
    return (scores.logsumexp(dim=1) - scores[rows, contexts]).sum() / len(scores)


def loss_negative_sampling_loss(positive_scores, noise_scores):
    zero = torch.zeros((), dtype=positive_scores.dtype)
    right = torch.logaddexp(zero, -positive_scores)  # -ln σ(s) = ln(1 + e^-s)
    noise = torch.logaddexp(zero, noise_scores)
    return right.mean() + noise.sum() / len(noise_scores)


def model_SkipGram_scores(self, centres, contexts):
    v = self.centre[centres]
    u = self.context[contexts]
    if contexts.dim() == 1:
        return (v * u).sum(-1)
    return (u @ v[:, :, None])[:, :, 0]


def pairs_skip_gram_pairs(text):
    found = []
    ids, sentence, windows = text.ids.tolist(), text.sentence.tolist(), text.windows.tolist()
    for t in range(len(ids)):
        for other in range(len(ids)):
            if other != t and sentence[other] == sentence[t] and abs(other - t) <= windows[t]:
                found.append((abs(other - t), ids[t], ids[other]))
    found.sort(key=lambda pair: pair[0])
    return tuple(torch.tensor([pair[k] for pair in found], dtype=torch.int64) for k in (1, 2))
