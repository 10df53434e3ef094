"""The web console: pages for those who are not people of the terminal, over the same use cases as the command line."""
