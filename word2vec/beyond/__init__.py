"""What goes beyond the papers' core: other objectives, the block engine, corpora larger than memory, formats."""
