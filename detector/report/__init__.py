"""What others show about the detector: its chapter of the tour, the table of its README."""
