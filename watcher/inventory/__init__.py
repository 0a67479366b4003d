"""The site: what the operator says about clusters, nodes, phones and calendars."""
