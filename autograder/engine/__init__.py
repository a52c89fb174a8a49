"""A node: slots, the timing lock, containers started ahead of need, judges."""
