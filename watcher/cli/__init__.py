"""Commands: each turns a command line into one call of the app and one exit status."""
