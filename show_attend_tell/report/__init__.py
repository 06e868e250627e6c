"""What others show about this paper: its chapter of the tour, its bench, the tables of its README."""
