"""The settings file: its shape, and what of it comes from the environment."""
