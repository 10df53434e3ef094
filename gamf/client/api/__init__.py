"""The HTTP API: the use cases of the command line and the console, for clinic software."""
