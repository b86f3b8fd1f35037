"""A camera in, readings out: the stages of a clip on frames that are still coming."""
