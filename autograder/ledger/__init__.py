"""Nothing is ever lost: the database is the queue, everything else is a projection of it."""
