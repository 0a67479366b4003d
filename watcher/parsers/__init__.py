"""Readers of one dialect each: a record in, an event out, or "not mine"."""
