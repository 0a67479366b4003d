"""Find the time for a change: windows, blackouts, calendars, lead times, backwards from expiry."""
