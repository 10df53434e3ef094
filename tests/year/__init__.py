"""A year in an RLS, simulated on the real servers."""
