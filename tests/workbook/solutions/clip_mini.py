"""Other correct solutions of CLIP's exercises, written without the real ones. The judge must accept them."""

import torch


def loss_pairwise_similarity(image, text, log_scale):
    u = image / image.square().sum(1, keepdim=True).sqrt()
    v = text / text.square().sum(1, keepdim=True).sqrt()
    return torch.einsum("nd, md -> nm", u, v) * torch.exp(log_scale)


def loss_contrastive_loss(similarity):
    own = similarity.diagonal()
    rows = torch.logsumexp(similarity, 1) - own
    columns = torch.logsumexp(similarity, 0) - own
    return 0.5 * (rows.mean() + columns.mean())


def model_MultiHeadAttention_forward(self, x, causal):
    t, width = x.shape[1:]
    d = width // self.heads
    projected = self.project_in(x)
    parts = []
    for h in range(self.heads):
        q, k, v = (projected[..., first + h * d : first + (h + 1) * d] for first in (0, width, 2 * width))
        scores = torch.einsum("ntd, nsd -> nts", q, k) / d**0.5
        if causal:
            scores = scores + torch.full((t, t), -torch.inf, dtype=x.dtype).triu(1)
        parts.append(scores.softmax(-1) @ v)
    return self.project_out(torch.cat(parts, -1))


def zero_shot_class_embeddings(encode_text, encode, prompts):
    rows = []
    for texts in prompts:
        total = encode_text(encode(texts)).sum(0)
        length = total.square().sum().sqrt()
        rows.append(total / length if length > 0 else total)
    return torch.stack(rows)
