"""The terminal side of conversations: what is typed, what is shown, and what is sent."""
