"""SQL and nothing else: the migrations, and a module a table for its queries."""
