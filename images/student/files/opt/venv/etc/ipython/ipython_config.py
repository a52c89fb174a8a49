c = get_config()  # noqa: F821  # IPython puts it there
c.InteractiveShellApp.extensions = ["hub.magic"]
