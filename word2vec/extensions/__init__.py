"""Other objectives, the block engine, phrases, and the formats of other programs."""
