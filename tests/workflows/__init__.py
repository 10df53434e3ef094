"""Tests of gamf.workflows."""
