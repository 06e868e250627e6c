r"""CLIP's text encoder and the two projections (Radford et al. 2021, arXiv 2103.00020, sections 2.3 to 2.5).

The text encoder is a causal Transformer (Vaswani et al. 2017; layer norm before each part, as in GPT-2). A text is a
row of token ids: start, words, end, padding. The last layer's vector at the first end token is the text's vector. With
causal attention it is the first one that has seen all words. The image encoders are in ``image_encoders.py``. A linear
projection takes each side into the common space.

What differs from the paper: the tokenizer is word-level, and texts are as long as the longest one of the batch.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.functional import normalize, scaled_dot_product_attention

FIRST_SCALE, LARGEST_SCALE = math.log(1 / 0.07), math.log(100.0)  # of log_scale: section 2.5


def attention_spec(
    q: Float[Tensor, "n heads t d"],
    k: Float[Tensor, "n heads s d"],
    v: Float[Tensor, "n heads s d"],
    allowed: Bool[Tensor, "t s"] | None = None,
) -> Float[Tensor, "n heads t d"]:
    r"""Vaswani et al. 2017, equation 1: :math:`\mathrm{softmax}(Q K^\top / \sqrt{d})\, V`.

    ``allowed[i, j]`` says whether position i may look at position j; None allows all.
    """
    scores = q @ k.mT / math.sqrt(q.shape[-1])  # (n, heads, t, s)
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -math.inf)  # e^-inf = 0
    return scores.softmax(dim=-1) @ v  # row i: the mean of the values, weighted by what i looks at


class MultiHeadAttention(nn.Module):
    """Self-attention with several heads: each works on its own part of the width."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.project_in = nn.Linear(width, 3 * width)  # rows: q, then k, then v
        self.project_out = nn.Linear(width, width)
        self.heads = heads

    def forward(self, x: Float[Tensor, "n t width"], causal: bool) -> Float[Tensor, "n t width"]:
        n, t, width = x.shape  # n sequences of t positions
        q, k, v = self.project_in(x).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)  # each (n, heads, t, d)
        mixed = scaled_dot_product_attention(q, k, v, is_causal=causal)  # = attention_spec, (n, heads, t, d)
        return self.project_out(mixed.transpose(1, 2).reshape(n, t, width))


class QuickGELU(nn.Module):
    r""":math:`x\,\sigma(1.702\,x)`: an approximation of GELU (Hendrycks & Gimpel 2016), in the published models."""

    def forward(self, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        return x * (1.702 * x).sigmoid()


ACTIVATIONS = {"gelu": nn.GELU, "quick_gelu": QuickGELU}


class Block(nn.Module):
    r"""One layer: :math:`x \leftarrow x + A(\mathrm{LN}(x))` with attention A, then the same with an MLP."""

    def __init__(self, width: int, heads: int, hidden: int, activation: str) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), MultiHeadAttention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), ACTIVATIONS[activation](), nn.Linear(hidden, width))

    def forward(self, x: Float[Tensor, "n t width"], causal: bool) -> Float[Tensor, "n t width"]:
        x = x + self.attention(self.norm1(x), causal)
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    """Layers of one width, with first weights as in GPT-2 and CLIP.

    Args:
        width: of each position's vector.
        layers, heads: how many. ``heads`` divides ``width``.
        hidden: width of the hidden layer of each MLP; 4 ``width`` in the paper.
        activation: ``"gelu"`` or ``"quick_gelu"``.
    """

    def __init__(self, width: int, layers: int, heads: int, hidden: int, activation: str) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(width, heads, hidden, activation) for _ in range(layers))
        for block in self.blocks:
            nn.init.normal_(block.attention.project_in.weight, std=width**-0.5)
            nn.init.normal_(block.mlp[0].weight, std=(2 * width) ** -0.5)
            for last in (block.attention.project_out, block.mlp[2]):  # what is added: smaller in deeper networks
                nn.init.normal_(last.weight, std=(2 * layers * width) ** -0.5)

    def forward(self, x: Float[Tensor, "n t width"], causal: bool) -> Float[Tensor, "n t width"]:
        for block in self.blocks:
            x = block(x, causal)
        return x


class TextEncoder(nn.Module):
    """A causal Transformer, read at the first end token.

    Args:
        words: how many token ids there are.
        context: the longest text, in token ids.
        end: the id of the end token.
        width, layers, heads, hidden, activation: of the Transformer.
    """

    def __init__(
        self, words: int, context: int, end: int, width: int, layers: int, heads: int, hidden: int, activation: str
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.positions = nn.Parameter(torch.empty(context, width))
        self.transformer = Transformer(width, layers, heads, hidden, activation)
        self.norm = nn.LayerNorm(width)
        self.end, self.features = end, width
        nn.init.normal_(self.embed.weight, std=0.02)
        nn.init.normal_(self.positions, std=0.01)

    def forward(self, texts: Int[Tensor, "n t"]) -> Float[Tensor, "n width"]:
        n, t = texts.shape  # n texts of at most t token ids
        x = self.embed(texts) + self.positions[:t]  # (n, t, width)
        x = self.norm(self.transformer(x, causal=True))
        return x[torch.arange(n, device=x.device), self.place_of_end(texts)]  # (n, width)

    def place_of_end(self, texts: Int[Tensor, "n t"]) -> Int[Tensor, " n"]:
        """The place of the first end token of each text; padding after it is never looked at."""
        return (texts == self.end).int().argmax(dim=1)


class CLIP(nn.Module):
    r"""Two encoders into one space (figure 3): :math:`\hat u = W_i f / \lVert W_i f \rVert`, :math:`\hat v` likewise.

    Args:
        image_encoder, text_encoder: their ``features`` is the length of the vectors that they give.
        common: dimensions of the common space.

    ``log_scale`` is the learned t of figure 3: it starts at ln(1/0.07), and training keeps it at most ln 100.
    """

    def __init__(self, image_encoder: nn.Module, text_encoder: nn.Module, common: int) -> None:
        super().__init__()
        self.image_encoder, self.text_encoder = image_encoder, text_encoder
        self.image_projection = nn.Linear(image_encoder.features, common, bias=False)
        self.text_projection = nn.Linear(text_encoder.features, common, bias=False)
        self.log_scale = nn.Parameter(torch.tensor(FIRST_SCALE))
        for projection in (self.image_projection, self.text_projection):
            nn.init.normal_(projection.weight, std=projection.in_features**-0.5)

    def encode_image(self, images: Float[Tensor, "n ..."]) -> Float[Tensor, "n common"]:
        """Unit vectors; ``images`` is what the image encoder reads: pixels from 0 to 1, or frozen features."""
        return normalize(self.image_projection(self.image_encoder(images)), dim=-1)

    def encode_text(self, texts: Int[Tensor, "n t"]) -> Float[Tensor, "n common"]:
        """Unit vectors; ``texts`` holds token ids, each row with an end token, padded after it."""
        return normalize(self.text_projection(self.text_encoder(texts)), dim=-1)

    def forward(
        self, images: Float[Tensor, "n ..."], texts: Int[Tensor, "m t"]
    ) -> tuple[Float[Tensor, "n common"], Float[Tensor, "m common"]]:
        return self.encode_image(images), self.encode_text(texts)
