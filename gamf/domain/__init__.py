"""The rules, pure: no I/O, no Temporal, no clock of their own."""
