"""What this project adds: a score of images that are unlike the toy world."""
