"""From a recipe and a cluster profile to jobs in the queue."""
