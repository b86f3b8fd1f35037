"""What a run will cost and what it can see, computed from its recipe before any GPU hour."""
