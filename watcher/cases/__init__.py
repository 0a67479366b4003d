"""From alarms to cases: identity, merging, states, thresholds, storms, silence. Pure."""
