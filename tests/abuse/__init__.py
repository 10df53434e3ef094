"""Files, facts and settings as nobody should send them: a clear error, or an effect that the rules allow."""
