"""What people and other software hold: use cases and the command line."""
