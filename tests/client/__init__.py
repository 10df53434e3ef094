"""Tests of gamf.client."""
