"""Tests of what is said and kept while a server is away."""
