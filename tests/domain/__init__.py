"""Tests of gamf.domain."""
