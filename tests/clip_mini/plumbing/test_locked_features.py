"""The locked image side: principal components of frozen features, and a projection that training does not change."""

import pytest
import torch
from torch import nn

from clip_mini.datasets.features import WHITENING, LockedFeatures, lock
from clip_mini.model import CLIP


def some_features(n: int = 200) -> torch.Tensor:
    """n images of 2 regions of 3 channels; their six numbers have different spreads and a mean that is not 0."""
    torch.manual_seed(0)
    return (torch.randn(n, 6) * torch.tensor([8.0, 4.0, 2.0, 1.0, 0.5, 0.25]) + 5).view(n, 2, 3)


def test_components_are_centred_uncorrelated_and_partly_whitened() -> None:
    """Component k is x · v_k / s_k^p with singular value s_k, so the sum of its squares is s_k^(2 - 2p)."""
    features = some_features()
    encoder = LockedFeatures.of(features, 4)
    out = encoder(features).double()  # (n, 4)
    assert encoder.features == 4
    torch.testing.assert_close(out.mean(dim=0), torch.zeros(4).double(), atol=1e-4, rtol=0)
    rows = features.flatten(1).double()
    spread = torch.linalg.svdvals(rows - rows.mean(dim=0))[:4]
    expected = torch.diag(spread ** (2 - 2 * WHITENING))
    torch.testing.assert_close(out.T @ out, expected, atol=1e-2, rtol=1e-3)


def test_more_components_than_images_are_refused() -> None:
    with pytest.raises(ValueError, match="--common must be below 5 with these images, got 5"):
        LockedFeatures.of(some_features(5), 5)


def test_training_does_not_change_a_locked_image_side() -> None:
    features = some_features()
    text = nn.Embedding(3, 4)
    text.features = 4
    model = lock(CLIP(LockedFeatures.of(features, 4), text, 4))
    before = model.encode_image(features)
    torch.testing.assert_close(before, nn.functional.normalize(model.image_encoder(features), dim=-1))
    assert not before.requires_grad
    assert not [name for name, p in model.named_parameters() if p.requires_grad and name.startswith("image")]
