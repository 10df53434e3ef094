"""The command line: what it takes, what it prints, and how it ends. What it does is in the use cases."""
