"""What is deployed beside the code: alerts, the dashboard, the compose file."""
