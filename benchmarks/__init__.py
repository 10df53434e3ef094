"""What is measured, beside its floor."""
