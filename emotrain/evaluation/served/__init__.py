"""Models behind a server as arms: a recipe's own prompts sent to them, their answers scored like any other."""
