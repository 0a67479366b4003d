"""The story of one message in the daemon: journal entry -> facts -> case, in one transaction."""
