"""What others show about this paper."""
