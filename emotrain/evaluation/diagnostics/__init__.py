"""What a model does before it is right or wrong: its habits, what it misses, what it looks at (`emotrain diagnose`)."""
