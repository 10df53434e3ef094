"""The worker process: its lifecycle and its health."""
