"""The modes of a run: which paradigm suits it, how it is moved from one to another, and what it takes along."""
