"""The shell around the core: files, standard input and the clock. It carries, never decides."""
