"""Statistics of a duel, noise of the machine, fitness of a node."""
