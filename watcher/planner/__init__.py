"""From certificates that need action to an ordered change plan."""
