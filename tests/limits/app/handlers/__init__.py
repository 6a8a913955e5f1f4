"""Tasks with limits."""
