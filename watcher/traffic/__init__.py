"""The traffic of a cluster: alarms, repeats, envelopes and noise, from a seed."""
