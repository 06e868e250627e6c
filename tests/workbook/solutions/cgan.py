"""Other correct solutions of the GAN's exercises, written without the real ones. The judge must accept them."""

import torch
from torch.nn.functional import softplus


def theory_jensen_shannon(p, q):
    m = (p + q) / 2
    of_p = torch.special.xlogy(p, p) - torch.special.xlogy(p, m)
    of_q = torch.special.xlogy(q, q) - torch.special.xlogy(q, m)
    return (of_p + of_q).sum() / 2


def loss_value(real_logits, fake_logits):
    return -softplus(-real_logits).sum() / len(real_logits) - softplus(fake_logits).sum() / len(fake_logits)


def model_MLPDiscriminator_forward(self, samples, labels):
    def leak(x):
        return torch.where(x > 0, x, x / 5)

    h = torch.stack([self.from_sample(samples), self.from_label.weight[labels]], 1).flatten(1)
    return self.output(leak(self.joint(leak(h)))).flatten()


def text_encoder_joint_embedding_loss(scores, true):
    n = len(scores)
    total = 0 * scores.sum()  # a number with a gradient, also if no pair is false
    for k in range(n):
        rows = [(1 + scores[k, j] - scores[k, k]).clamp(min=0) for j in range(n) if not true[k, j]]
        columns = [(1 + scores[i, k] - scores[k, k]).clamp(min=0) for i in range(n) if not true[i, k]]
        for found in (rows, columns):
            total = total + (torch.stack(found).mean() if found else 0)
    return total / n
