"""Command line of the package; each command is imported when it runs."""
