"""Readers of real data: emoji, folders of images with captions, tar shards."""
