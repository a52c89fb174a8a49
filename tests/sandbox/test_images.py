"""How images are built."""

import os
import subprocess
import sys

from tests.conftest import REPOSITORY


def test_a_proxy_of_the_shell_reaches_what_is_built():
    """The engine knows nothing of it: `apt-get` would find no mirror where pip and npm, out here, do."""
    source = "import sys; sys.path.insert(0, 'images'); import build; print(sorted(build.proxies().items()))"
    known = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    environment = known | {"https_proxy": "http://proxy:3128", "NO_PROXY": "localhost", "HTTP_PROXY": ""}
    said = subprocess.run(
        [sys.executable, "-c", source], cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert said.strip() == "[('NO_PROXY', 'localhost'), ('https_proxy', 'http://proxy:3128')]"
