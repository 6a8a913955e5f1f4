"""Tasks that overlap, and tasks that come after others."""
