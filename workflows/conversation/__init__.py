"""Conversations: a pure state machine (`machine`), its strategies, and the workflow around it (`workflow`)."""
