"""Do descriptors of a GPU's memory pass between processes in separate namespaces? The first thing to run on a new GPU machine.

    python tests/bench/gpu_descriptors.py [--namespaces]

One process allocates, writes and exports; another, with `--namespaces` in user, pid, ipc and network namespaces of its own
(`unshare`, as a container's), maps the same memory and adds one to every byte. Prints what was found, and exits 1 if it failed.
"""

from __future__ import annotations

import argparse
import ctypes
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from autograder.guest.driver import CudaError, Driver

SIZE = 1 << 20
CHILD = """
import ctypes, socket, sys
sys.path.insert(0, sys.argv[1])
from autograder.guest.driver import Driver
_, (descriptor, *_), _, _ = socket.recv_fds(socket.socket(fileno=0), 1, 1)
driver, host = Driver(), (ctypes.c_ubyte * 4)()
block = driver.adopt(descriptor, int(sys.argv[2]))
block.read(0, ctypes.addressof(host), 4)
host[:] = [b + 1 for b in host]
block.write(0, ctypes.addressof(host), 4)
driver.synchronize()
"""


def main() -> int:
    """Asks once."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--namespaces", action="store_true", help="the other process lives in namespaces of its own")
    options = parser.parse_args()
    try:
        driver = Driver()
    except CudaError as error:
        print(error)
        return 1
    block = driver.allocate(SIZE)
    host = (ctypes.c_ubyte * 4)(1, 2, 3, 4)
    block.write(0, ctypes.addressof(host), 4)
    apart = ["unshare", "-Urpinf", "--mount-proc"] if options.namespaces else []
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [*apart, sys.executable, "-c", CHILD, str(Path(__file__).resolve().parents[2]), str(block.size)]
    child = subprocess.Popen(command, stdin=theirs)
    socket.send_fds(ours, [b"d"], [block.export()])
    child.wait(timeout=60)
    block.read(0, ctypes.addressof(host), 4)
    passed = list(host) == [2, 3, 4, 5]
    print(f"the other process {'mapped the same memory' if passed else 'did not change it'}: {list(host)}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
