"""How a process reaches the world: settings, database, Temporal, the embedded servers."""
