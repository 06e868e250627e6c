"""The chapter of the tour, the bench, and the tables of the README."""
