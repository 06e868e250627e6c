"""What later papers and this project add: other losses, the loss at scale, tokenizers, published weights, search."""
