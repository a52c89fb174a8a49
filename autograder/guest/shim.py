"""Runs inside the sandbox, beside the student's code; holds nothing that would help to forge.

Theory of operation. The judge connects once, over a SEQPACKET socket, and from then on says one byte at a time:

    A  attach: three descriptors follow (input, output, text), each a memory file of fixed size; five where arrays are on a device
    L  load: write the files named in the input's header, import the entry module
    G  go: call the function named in the input's header, put the result where the header says
    E  empty: all that `go` does, with a function of ours that waits a while (calibration; only asked of the reference)

and the answer is one byte too (`domain.execution.Signal`). The judge interprets nothing else: whatever this process
or the student's code writes elsewhere is bytes of a result, or text for people.

The header is 8 bytes of length and JSON, written by the judge. Standard library and NumPy only.
"""

import builtins
import ctypes
import gc
import importlib
import importlib.util
import json
import mmap
import operator
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

NOTE_BYTES = 8192  # the head of the text file is for the last error; what is printed goes behind it
SCALARS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "float": ("<f8", float),
    "int": ("<i8", operator.index),
    "bool": ("|b1", bool),
}
give_back = ctypes.CDLL(None).malloc_trim


class Refusal(Exception):
    """The result is not what was declared."""


class Guest:
    """The judge's end of the student's code."""

    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.module: Any = None
        self.adapter: Any = None
        self.input: Any = None
        self.output: Any = None
        self.text: Any = None

    def serve(self) -> None:
        """Answers one byte for one byte until the judge hangs up."""
        actions: dict[bytes, Callable[[], bytes]] = {b"L": self.load, b"G": self.go, b"E": lambda: self.go(empty=True)}
        while True:
            command, files, _, _ = socket.recv_fds(self.channel, 1, 5)
            if not command:
                os._exit(0)
            if command == b"A":
                self.attach(files)
                answer = b"r"
            else:
                answer = actions[command]()
            self.channel.send(answer)

    def attach(self, files: list[int]) -> None:
        """Maps the judge's memory files; prints go to the third from now on."""
        self.input, self.output, self.text = (mmap.mmap(f, os.fstat(f).st_size) for f in files)
        os.dup2(files[2], 1)
        os.dup2(files[2], 2)
        for f in files:
            os.close(f)

    def header(self) -> Any:
        """The judge's words for this turn."""
        length = int.from_bytes(self.input[:8], "little")
        return json.loads(self.input[8 : 8 + length])

    def load(self) -> bytes:
        """Writes the submitted files into the working directory and imports the entry."""
        header = self.header()
        offset, size = header["files"]
        listing, offset = json.loads(self.input[offset : offset + size]), offset + size
        for name, size in listing:
            folder = os.path.dirname(name)  # noqa: PTH120  # pathlib would cost its import time in every container
            if folder:
                os.makedirs(folder, exist_ok=True)  # noqa: PTH103
            with open(name, "wb") as file:  # noqa: PTH123
                file.write(self.input[offset : offset + size])
            offset += size
        sys.path.insert(0, os.getcwd())  # noqa: PTH109
        importlib.invalidate_caches()

        def run() -> None:
            self.module = self.import_file("solution", header["entry"])
            self.adapter = self.import_file("adapter", header["adapter"]) if header["adapter"] else None

        answer = self.guarded(run)
        gc.collect()
        gc.freeze()  # later collections skip what import made: they cost the same on both sides of a duel
        return answer

    def import_file(self, name: str, path: str) -> Any:
        """Imports one file under a fixed name."""
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
        return module

    def go(self, empty: bool = False) -> bytes:
        """One call, from header to output.

        Which physical pages an array gets decides its cache conflicts: some per cent from process to process, for as long as
        the pages are used again. So what is free goes back to the kernel first, and each call draws anew. Not before an empty
        call: what the last real one has left is the next real one's to give back, on either side of a duel.
        """
        if not empty:
            give_back(0)
        header = self.header()
        function: Any = getattr(self.adapter, header["f"], None) or getattr(self.module, header["f"], None)
        if empty:
            function = self.stand_in(header)
        if function is None:
            self.note(f"no function named {header['f']}")
            return b"n"
        arguments = [self.argument(a) for a in header["a"]]
        return self.guarded(lambda: self.store(header["r"], function(*arguments)))

    def stand_in(self, header: Any) -> Callable[..., Any]:
        """For the empty call, in a student's place: takes the time it is told to, and returns what lies there already.

        Copying a result is not part of what every call costs: who computes where it is wanted has nothing to copy.
        """

        def function(*_: Any) -> Any:
            self.wait(header["spin"])
            found = [self.there(spec, header["end"]) for spec in header["r"]]
            return found[0] if len(found) == 1 else found

        return function

    def wait(self, seconds: float) -> None:
        """As busy as a kernel would be."""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            pass

    def there(self, spec: Any, end: int) -> Any:
        """The result's own place."""
        return np.ndarray(spec["s"], spec["d"], self.output, spec["o"])

    def argument(self, spec: Any) -> Any:
        """A scalar, a view of the input or output file, or a callback."""
        if "v" in spec:
            return spec["v"]
        if "c" in spec:
            return self.callback(spec)
        buffer = self.output if spec["out"] else self.input
        return np.ndarray(spec["s"], spec["d"], buffer, spec["o"], spec["t"])

    def callback(self, spec: Any) -> Callable[..., Any]:
        """A function that the judge evaluates: arguments into the output file's mailbox, one byte each way."""

        def call(*values: Any) -> Any:
            if len(values) != len(spec["c"]):
                raise TypeError(f"the function passed in takes {len(spec['c'])} arguments, not {len(values)}")
            for slot, value in zip(spec["c"], values, strict=True):
                self.put(slot, value, "argument of the function passed in")
            self.channel.send(b"c")
            if self.channel.recv(1) != b"r":
                raise RuntimeError("the function passed in failed")
            results = [np.ndarray(s["s"], s["d"], self.input, s["o"]).copy() for s in spec["r"]]
            results = [r if r.ndim else r.item() for r in results]
            return results[0] if len(results) == 1 else tuple(results)

        return call

    def store(self, specs: list[Any], result: Any) -> None:
        """Copies the result to where the judge will look, or says why not."""
        if not specs:
            return
        values = (result,) if len(specs) == 1 else result
        if len(specs) > 1 and (not isinstance(result, (tuple, list)) or len(result) != len(specs)):
            raise Refusal(f"expected a tuple of {len(specs)} values, got {type(result).__name__}")
        for spec, value in zip(specs, values, strict=True):
            self.put(spec, value, "result")

    def put(self, spec: Any, value: Any, what: str) -> None:
        """Stores one value of a declared shape and dtype."""
        target = np.ndarray(spec["s"], spec["d"], self.output, spec["o"])
        if "n" in spec and not isinstance(value, np.ndarray):
            try:
                target[...] = SCALARS[spec["n"]][1](value)
            except (TypeError, ValueError) as error:
                raise Refusal(f"{what}: expected {spec['n']}, got {type(value).__name__}") from error
            return
        array = np.asarray(value)
        if array.shape != target.shape or array.dtype != target.dtype:
            expected = f"shape {target.shape}, dtype {target.dtype}"
            raise Refusal(f"{what}: expected {expected}; got shape {array.shape}, dtype {array.dtype}")
        np.copyto(target, array)

    def guarded(self, action: Callable[[], None]) -> bytes:
        """Runs the student's code; whatever it raises is a value."""
        answer = b"d"
        try:
            action()
        except Refusal as error:
            self.note(str(error))
            answer = b"s"
        except MemoryError:
            self.note("MemoryError")
            answer = b"m"
        except SystemExit:
            self.note("sys.exit() was called")
            answer = b"x"
        except NotImplementedError as error:
            self.note(self.describe(error))
            answer = b"u" if self.handed_in(error) else b"e"
        except BaseException as error:
            self.note(self.describe(error))
            answer = b"o" if isinstance(error, PermissionError) and self.full() else b"e"
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        except OSError:
            sys.stdout = builtins.open(1, "w", closefd=False)  # noqa: SIM115
            answer = b"o"
        return answer

    def handed_in(self, error: BaseException) -> bool:
        """Whether a submitted file raised it, as what is not written yet does, and no library: then a world of ranks goes on."""
        found = error.__traceback__
        while found is not None and found.tb_next is not None:
            found = found.tb_next
        return found is not None and found.tb_frame.f_code.co_filename.startswith(os.getcwd() + os.sep)  # noqa: PTH109

    def full(self) -> bool:
        """Whether what was printed has reached the end of the text file."""
        return os.lseek(1, 0, os.SEEK_CUR) > len(self.text) - 2 * NOTE_BYTES

    def describe(self, error: BaseException) -> str:
        """The last frames of a traceback, cut; those that lead from here into the student's code are nobody's business."""
        try:
            found, ours = error.__traceback__, (os.path.dirname(__file__), "<frozen importlib")  # noqa: PTH120
            while found is not None and found.tb_frame.f_code.co_filename.startswith(ours):
                found = found.tb_next
            return "".join(traceback.format_exception(type(error), error, found, limit=-4))[-NOTE_BYTES + 100 :]
        except BaseException:
            return type(error).__name__

    def note(self, words: str) -> None:
        """Leaves a message for people at the head of the text file."""
        data = words.encode("utf-8", "replace")[: NOTE_BYTES - 1]
        self.text[: len(data) + 1] = data + b"\0"


def main(kind: type[Guest] = Guest) -> None:
    """Connects, imports what was asked for ahead of need, and serves."""
    address, preload = sys.argv[1], sys.argv[2]
    for name in filter(None, preload.split(",")):
        importlib.import_module(name)
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel.connect(address)
    sys.argv = ["solution.py"]
    channel.send(b"r\0")  # ready, as rank 0
    kind(channel).serve()


if __name__ == "__main__":
    main()
