"""Tasks that between them get every kind of grant."""
