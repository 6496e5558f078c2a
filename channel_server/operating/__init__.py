"""What operators see of a running server, and what they can do to it; ``web`` gives it pages and paths."""
