from hub.nbgrader_plugins.config import configure

configure(get_config())
