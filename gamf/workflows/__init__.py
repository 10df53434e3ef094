"""What waits: durable and thin, it asks the domain and calls activities."""
