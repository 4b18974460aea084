"""What scripts share: command-line options, launching."""
