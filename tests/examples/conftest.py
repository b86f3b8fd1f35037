"""Where the tests of this room train: a prepared data folder and a base on disk."""

from training_bench import bench, trained

__all__ = ["bench", "trained"]
