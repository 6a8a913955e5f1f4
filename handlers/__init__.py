"""The app's tasks: one module each."""
