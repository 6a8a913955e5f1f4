"""Tasks of several shapes, whose requests are counted."""
