"""One video in, label probabilities and a time line out."""
