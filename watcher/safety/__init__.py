"""The independent check of finished plans; it shares no line with the planner."""
