"""The hub side: exchange, gradebook, images, JupyterHub."""
