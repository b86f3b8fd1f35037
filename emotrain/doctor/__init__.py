"""What of this machine matters to emotrain, what is wrong with it, and what to do: `emotrain doctor`."""
