"""Mikolov et al. 2013: words become vectors that predict their neighbours (arXiv 1301.3781 and 1310.4546)."""
