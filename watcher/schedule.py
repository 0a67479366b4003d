"""APScheduler, and only here: it ticks; the database decides what is due."""
