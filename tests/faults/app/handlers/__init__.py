"""Tasks for the sweep: their items behave by their names, and make no call of their own to AWS."""
