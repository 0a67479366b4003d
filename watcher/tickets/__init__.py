"""Change tickets: what is drafted, what is due, how far each errand is; pure."""
