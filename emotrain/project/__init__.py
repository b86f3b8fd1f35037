"""A folder of one's own outside the clone, for one's own data: `emotrain new`."""
