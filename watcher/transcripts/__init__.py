"""Readers of pasted CLI output, one module per command."""
