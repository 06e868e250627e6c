"""Conditional GANs (Goodfellow et al. 2014, arXiv 1406.2661; Mirza & Osindero 2014, arXiv 1411.1784), and pictures of
sentences (Reed et al. 2016, arXiv 1605.05396), rebuilt.

The names below are loaded when they are first used: ``python -m cgan`` sets up threads before torch is imported.
"""

from lab.library import exports

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "loss": ["interpolated", "matching_aware_value", "minimax_loss", "non_saturating_loss", "value"],
        "model": ["GAN", "ConvDiscriminator", "ConvGenerator", "MLPDiscriminator", "MLPGenerator"],
        "text_encoder": ["PictureEncoder", "SentenceEncoder", "joint_embedding_loss"],
        "text_to_image": ["TextDiscriminator", "TextGenerator"],
        "train": ["CONFIGS", "Config", "build", "build_optimizers", "train"],
        "train_text_to_image": ["train_text_to_image"],
    },
)
