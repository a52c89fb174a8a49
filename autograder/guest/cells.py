"""Runs a notebook's cells in a kernel inside the sandbox, one call per cell; the shim loads it in a submission's place.

The student image has what it needs (`jupyter_client`, `ipykernel`); nothing of ours is imported. The kernel is a process
beside the shim's, with the same limits around both; they speak over unix sockets in the working directory. What a cell
shows is bounded as it arrives, so that a flood costs its own cell. The judge believes nothing of what comes back.
"""

import json
import os
import queue
import subprocess
import time
from typing import Any

import numpy as np
from jupyter_client.manager import KernelManager

_LOOK_S = 0.2
_LAST_WORDS_S = 2.0  # after the reply, for output that is still on its way
TEXTS = ("text/markdown", "text/latex", "text/plain")  # each as it was written: the last one only names the first two
HOME = "home"  # the kernel's working directory: the submitted files lie there

os.makedirs(HOME, exist_ok=True)  # noqa: PTH103  # as in the shim
_FILE = os.path.abspath("kernel.json")  # noqa: PTH100  # the sockets are named after it
manager: Any = KernelManager(kernel_name="python3", transport="ipc", connection_file=_FILE)
manager.start_kernel(
    cwd=HOME,
    stdout=subprocess.DEVNULL,
    stderr=subprocess.DEVNULL,
    extra_arguments=["--InteractiveShellApp.extensions=[]"],  # the image's own magics would grade inside of a grading
)
client: Any = manager.client()
client.start_channels()
client.wait_for_ready()  # the judge bounds it, in time in which nothing here is frozen


class Outputs:
    """What one cell has shown, within its limits."""

    def __init__(self, text_bytes: int, images: int, image_bytes: int) -> None:
        self.left, self.images, self.image_bytes = text_bytes, images, image_bytes
        self.kept: list[dict[str, Any]] = []
        self.cut = False

    def add(self, kind: str, content: Any) -> None:
        """One message of the kernel."""
        if kind == "stream":
            name, words = content.get("name"), self.words(content.get("text", ""))
            last = self.kept[-1] if self.kept else {}
            if last.get("kind") == "stream" and last["name"] == name:
                last["text"] += words
            elif words:
                self.kept.append({"kind": "stream", "name": name, "text": words})
        elif kind in ("display_data", "execute_result"):
            self.show(content.get("data", {}))
        elif kind == "error":
            if self.left > 0:
                known = {k: self.words(str(content.get(k, ""))[:2000]) for k in ("ename", "evalue")}
                trace = self.words("\n".join(content.get("traceback", [])))
                self.kept.append({"kind": "error", "traceback": trace, **known})
        elif kind == "clear_output":
            self.kept.clear()

    def show(self, data: Any) -> None:
        """A picture if there is one, else the text that stands for the object."""
        picture = data.get("image/png")
        if isinstance(picture, str):
            picture = "".join(picture.split())
            if self.images > 0 and len(picture) * 3 <= self.image_bytes * 4:
                self.images -= 1
                self.kept.append({"kind": "image", "png": picture})
            else:
                self.cut = True
        elif words := self.words(next((data[k] for k in TEXTS if k in data), "")):
            self.kept.append({"kind": "text", "text": words})

    def words(self, text: Any) -> str:
        """As much of a text as there is room for."""
        if not isinstance(text, str):
            return ""
        data = text.encode("utf-8", "replace")
        kept = data[: self.left].decode("utf-8", "ignore")
        self.cut = self.cut or len(data) > self.left
        self.left -= min(len(data), self.left)
        return kept


def run(source: Any, seconds: float, text_bytes: int, images: int, image_bytes: int, room: int) -> Any:
    """Executes one cell.

    Args:
        source: UTF-8 bytes (n,).
        seconds: after which the cell is given up, and the kernel with it.
        room: bytes of the answer's array.

    Returns:
        JSON of `{"end": "done"|"time"|"died", "cut": bool, "outputs": […]}` at the head of an array (room,), and its length.
    """
    outputs = Outputs(text_bytes, images, image_bytes)
    end = follow(client.execute(source.tobytes().decode(), allow_stdin=False, stop_on_error=False), seconds, outputs)
    if end != "done":
        manager.shutdown_kernel(now=True)
    words = json.dumps({"end": end, "cut": outputs.cut, "outputs": outputs.kept}).encode()
    answer = np.zeros(room, np.uint8)
    answer[: len(words)] = np.frombuffer(words, np.uint8)
    return answer, len(words)


def follow(request: str, seconds: float, outputs: Outputs) -> str:
    """Listens until the kernel has done what it was asked for, is dead, or is out of time."""
    spent, last, replied = 0.0, time.monotonic(), False
    while spent < seconds:
        try:
            message = client.get_iopub_msg(timeout=min(_LOOK_S, seconds - spent))
        except queue.Empty:
            message = None
        now = time.monotonic()
        spent, last = spent + min(now - last, 2 * _LOOK_S), now  # a longer pause: everything here was frozen meanwhile
        if message is None:
            if not manager.is_alive():
                return "died"
            if not replied and answered(request):  # a flood can swallow the word that it is idle
                replied, seconds = True, min(seconds, spent + _LAST_WORDS_S)
            continue
        if message["parent_header"].get("msg_id") != request:
            continue
        kind, content = message["msg_type"], message["content"]
        if kind == "status" and content.get("execution_state") == "idle":
            return "done"
        outputs.add(kind, content)
    return "done" if replied else "time"


def answered(request: str) -> bool:
    """Whether the reply on the other channel is there."""
    try:
        while client.get_shell_msg(timeout=0)["parent_header"].get("msg_id") != request:
            pass
    except queue.Empty:
        return False
    return True
