"""How values become what Temporal keeps: compressed, encrypted, and where they are large, stored beside it."""
