"""A drawn plan, executed against the trust model, and what its document says of the proof."""
