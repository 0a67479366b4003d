"""What an outside monitor may ask: `/healthz`, `/readyz`, `/metrics`."""
