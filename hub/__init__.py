"""The course around the judge: the service, the JupyterHub, the nbgrader plugins. Sees `autograder.api` only."""
