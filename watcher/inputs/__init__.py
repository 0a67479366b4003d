"""Receivers of bytes, one for each kind of sender: they take, count and acknowledge, never read."""
