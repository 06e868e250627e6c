"""Other objectives, the block engine for real text, phrases, and the file formats of other programs."""
