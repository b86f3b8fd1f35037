"""A prepared data folder as a task of other people's evaluation harnesses."""
