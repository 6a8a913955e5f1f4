"""One task for each stack."""
