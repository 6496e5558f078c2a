"""What people see in a browser: pages and their HTTP routes."""
