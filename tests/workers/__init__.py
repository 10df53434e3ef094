"""Tests of gamf.workers."""
