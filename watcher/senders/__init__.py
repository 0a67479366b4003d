"""Ways out: one file for each ticket system; they carry and never decide, and never retry."""
