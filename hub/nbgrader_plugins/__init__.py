"""nbgrader over HTTP: the exchange, grades from the judge instead of a kernel, and one writer for the gradebook."""
