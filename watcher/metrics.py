"""Every metric, its unit and its labels, on one page."""
