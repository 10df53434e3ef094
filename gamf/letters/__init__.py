"""What patients are sent: one folder a letter, in French and in English."""
