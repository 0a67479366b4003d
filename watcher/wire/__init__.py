"""Decoders of published formats: bytes in, values out; they know syntax, not meaning."""
