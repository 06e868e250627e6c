"""What this project adds to the paper."""
