"""Effects: one class a resource, one transaction a transition."""
