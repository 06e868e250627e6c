"""What this project adds to the core: hard attention, faster forms, and the metrics of captions."""
