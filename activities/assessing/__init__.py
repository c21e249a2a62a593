"""What a task is like, found out where nobody says."""
