"""Two services that can fail in every documented way, and a demonstration of one of them."""
