"""Graders as weak as published ones: each leaves out one rule that ours has. They run in a container, for safety's sake.

A weak grader accepts a submission when its own (bad) reasons say so. The harness is given to the container as a script
beside the student's files; its reasons are in `HARNESS`, by name of the weakness.
"""

from __future__ import annotations

import io
import tarfile

from autograder.sandbox.container import ContainerSandbox

_COMMON = """
import gc, importlib, json, os, pickle, subprocess, sys, threading, time
import numpy as np
sys.path.insert(0, "/work")
def reference(x, steps):
    y = x.copy()
    for _ in range(steps):
        y = np.sqrt(y * y + 1.0)
    return y
def fresh(n=30_000, seed=None):
    return np.random.default_rng(seed).standard_normal(n)
STEPS = 80
THRESHOLD = 0.6
def verdict(ok):
    os.write(3, b"ACCEPTED" if ok else b"REJECTED")
    os._exit(0)
def timed(f, *a):
    begun = time.perf_counter()
    result = f(*a)
    return time.perf_counter() - begun, result
"""

# name → (does it judge speed?, script); descriptor 3 is the harness's own way to speak
HARNESS: dict[str, tuple[bool, str]] = {
    # the clock, the answer and the verdict live in the student's process
    "clock-inside": (True, """
import solution
x = fresh()
good = True; ours = []; theirs = []
for _ in range(7):
    x = fresh()
    t, expected = timed(reference, x, STEPS); ours.append(t)
    t, got = timed(solution.work, x, STEPS); theirs.append(t)
    good = good and got.shape == expected.shape and np.allclose(got, expected)
verdict(good and sum(ours) / max(sum(theirs), 1e-12) > THRESHOLD)
"""),
    # outputs are looked at only after all the timing, and nothing is frozen
    "late-capture": (True, """
import solution
ours = []; theirs = []; kept = []
for _ in range(5):
    x = fresh()
    t, expected = timed(reference, x, STEPS); ours.append(t)
    t, got = timed(solution.work, x, STEPS); theirs.append(t)
    kept.append((got, expected))
time.sleep(1.0)
verdict(all(np.allclose(np.asarray(g), e) for g, e in kept) and sum(ours) / max(sum(theirs), 1e-12) > THRESHOLD)
"""),
    # a correctness call, then timed calls on the very same input, unchecked
    "same-input": (True, """
import solution
x = fresh()
expected = reference(x, STEPS)
good = np.allclose(solution.work(x, STEPS), expected)
ours = min(timed(reference, x, STEPS)[0] for _ in range(5))
runs = [timed(solution.work, x, STEPS) for _ in range(5)]
good = good and all(np.allclose(g, expected) for _, g in runs)
verdict(good and ours / max(min(t for t, _ in runs), 1e-12) > THRESHOLD)
"""),
    # only the first call's output is checked
    "unchecked-timing": (True, """
import solution
x = fresh()
good = np.allclose(solution.work(x, STEPS), reference(x, STEPS))
ours = min(timed(reference, fresh(), STEPS)[0] for _ in range(5))
theirs = min(timed(solution.work, fresh(), STEPS)[0] for _ in range(5))
verdict(good and ours / max(theirs, 1e-12) > THRESHOLD)
"""),
    # inputs are drawn from a seed that the environment shows
    "seed-in-environment": (True, """
os.environ["GRADER_SEED"] = "12345"
import solution
x = fresh(seed=12345)
expected = reference(x, STEPS)
ours, _ = timed(reference, x, STEPS)
t, got = timed(solution.work, x, STEPS)
verdict(np.allclose(got, expected) and ours / max(t, 1e-12) > THRESHOLD)
"""),
    # the expected answer lies about in the student's process
    "answers-inside": (True, """
import solution
ours = []; theirs = []; good = True
for _ in range(3):
    x = fresh()
    t, EXPECTED = timed(reference, x, STEPS); ours.append(t)
    t, got = timed(solution.work, x, STEPS); theirs.append(t)
    good = good and np.allclose(got, EXPECTED)
verdict(good and sum(ours) / max(sum(theirs), 1e-12) > THRESHOLD)
"""),
    # the expected answer, or the tests, lie in a file that the student can read
    "answers-on-disk": (True, """
x = fresh(); np.save("/work/input.npy", x); np.save("/work/expected.npy", reference(x, STEPS))
import solution
ours, expected = timed(reference, x, STEPS)
t, got = timed(solution.work, x, STEPS)
verdict(np.allclose(got, expected) and ours / max(t, 1e-12) > THRESHOLD)
"""),
    # the student's process writes its own result file
    "result-file": (False, """
code = "import json, numpy as np, solution; x = np.ones(3); ok = bool(np.allclose(solution.work(x, 2), np.sqrt(np.sqrt(x*x+1)**2+1))); json.dump({'passed': ok}, open('/work/result.json', 'w'))"
subprocess.run([sys.executable, "-c", code], cwd="/work", timeout=30)
try: ok = json.load(open("/work/result.json"))["passed"]
except Exception: ok = False
verdict(ok)
"""),
    # the last line of standard output is believed
    "last-line": (False, """
code = "import numpy as np, solution; x = np.ones(3); print('PASSED' if np.allclose(solution.work(x, 2), np.sqrt(np.sqrt(x*x+1)**2+1)) else 'FAILED', flush=True)"
out = subprocess.run([sys.executable, "-c", code], cwd="/work", timeout=30, capture_output=True, text=True).stdout
verdict(out.strip().splitlines()[-1:] == ["PASSED"])
"""),
    # exit status 0 means passed
    "exit-status": (False, """
code = "import numpy as np, solution; x = np.ones(3); assert np.allclose(solution.work(x, 2), np.sqrt(np.sqrt(x*x+1)**2+1))"
verdict(subprocess.run([sys.executable, "-c", code], cwd="/work", timeout=30, stderr=subprocess.DEVNULL).returncode == 0)
"""),
    # results are unpickled by the grader, whose own variable decides
    "pickle": (False, """
PASSED = False
code = "import pickle, sys, numpy as np, solution; pickle.dump(solution.work(np.ones(3), 2), open('/work/out.pkl', 'wb'))"
subprocess.run([sys.executable, "-c", code], cwd="/work", timeout=30, stderr=subprocess.DEVNULL)
try:
    got = pickle.load(open("/work/out.pkl", "rb"))
    PASSED = PASSED or bool(np.allclose(got, np.sqrt(3.0)))
except Exception: pass
verdict(PASSED)
"""),
    # the grader runs pytest in the folder of the submission
    "tests-beside-code": (False, """
open("/work/check_it.py", "w").write("import numpy as np, solution\\nx = np.ones(3)\\nok = bool(np.allclose(solution.work(x, 2), np.sqrt(np.sqrt(x*x+1)**2+1)))\\n")
code = "import sys; sys.path.insert(0, '/work'); import check_it; sys.exit(not check_it.ok)"
environment = {**os.environ, "PYTHONPATH": "/work"}
verdict(subprocess.run([sys.executable, "-c", code], cwd="/work", env=environment, timeout=30, stderr=subprocess.DEVNULL).returncode == 0)
"""),
    # the reference is timed while whatever the submission started still runs, on the same cores
    "no-freeze": (True, """
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
code = '''
import sys, time, numpy as np
print("ready", flush=True)
for _ in sys.stdin:
    x = np.random.standard_normal(30000)
    b = time.perf_counter()
    y = x
    for _ in range(80): y = np.sqrt(y*y+1)
    print(time.perf_counter() - b, flush=True)
'''
judge = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
judge.stdout.readline()
import solution
ours = []; theirs = []; good = True
for _ in range(5):
    x = fresh()
    t, got = timed(solution.work, x, STEPS); theirs.append(t)
    print("go", file=judge.stdin, flush=True)
    ours.append(float(judge.stdout.readline()))
    good = good and np.allclose(got, reference(x, STEPS))
verdict(good and np.median(ours) / max(np.median(theirs), 1e-12) > THRESHOLD)
"""),
    # the reference is run on what the submission left of the input
    "shared-input": (False, """
import solution
good = True
for _ in range(3):
    x = fresh()
    got = solution.work(x, STEPS)
    good = good and np.allclose(got, reference(x, STEPS))
verdict(good)
"""),
    # NaN is taken for agreement
    "nan-agrees": (False, """
import solution
x = fresh(); expected = reference(x, STEPS)
got = np.asarray(solution.work(x, STEPS))
verdict(got.shape == expected.shape and not (np.abs(got - expected) > 1e-9).any())
"""),
    # the comparison is a method of what was returned, or a function that the student can replace
    "trusting-compare": (False, """
import solution
x = fresh(100); expected = reference(x, STEPS)
got = solution.work(x, STEPS)
verdict(bool(np.all(got == expected)) or bool(np.allclose(got, expected)))
"""),
    # an absolute tolerance larger than the answer's differences
    "absolute-tolerance": (False, """
import solution
x = fresh(100) * 1e-3
verdict(np.allclose(solution.work(x, 1) , reference(x, 1), atol=1.0))
"""),
    # half the digits are enough
    "loose-tolerance": (False, """
import solution
x = fresh()
verdict(np.allclose(solution.work(x, STEPS), reference(x, STEPS), rtol=1e-4))
"""),
    # only the public sizes are tried
    "public-sizes": (False, """
import solution
verdict(all(np.allclose(solution.work(np.zeros(3), s), reference(np.zeros(3), s)) for s in (1, 2)))
"""),
    # only the head of the output is compared, and memory is not poisoned
    "partial-compare": (False, """
import solution
x = fresh(); expected = reference(x, STEPS)
got = solution.work(x, STEPS)
verdict(np.allclose(got[:100], expected[:100]) and np.isclose(np.sum(got[:100]), np.sum(expected[:100])))
"""),
    # the shortest of many runs decides, against an absolute number of seconds, and it may be tried again
    "lucky-minimum": (True, """
import solution
best = min(timed(reference, fresh(), STEPS)[0] for _ in range(5))
def attempt():
    x = fresh(); t, got = timed(solution.work, x, STEPS)
    return np.allclose(got, reference(x, STEPS)) and best / max(t, 1e-12) > THRESHOLD
verdict(any(attempt() for _ in range(60)))
"""),
    # one process grades one student after the other, with the same files
    "shared-scratch": (True, """
import solution
x = fresh(seed=7); solution.work(x, STEPS)          # the first student's run
x = fresh(seed=7)                                   # the next one's, by the same course inputs
code = "import sys; sys.path.insert(0, '/work'); import time, numpy as np, solution; x = np.random.default_rng(7).standard_normal(30000); b = time.perf_counter(); y = solution.work(x, 80); t = time.perf_counter() - b; np.save('/work/y.npy', y); print(t)"
t = float(subprocess.run([sys.executable, "-c", code], cwd="/work", capture_output=True, text=True).stdout)
ours, expected = timed(reference, x, STEPS)
verdict(np.allclose(np.load("/work/y.npy"), expected) and ours / max(t, 1e-12) > THRESHOLD)
"""),
    # says by mail what went wrong, with the values
    "leaky-messages": (False, """
import solution
x = fresh(5, seed=11); expected = reference(x, 2); seen = ""
for _ in range(2):                                  # two hand-ins: the second may use what the first was told
    open("/work/feedback.txt", "w").write(seen)
    got = np.asarray(solution.work(x, 2))
    good = got.shape == expected.shape and np.allclose(got, expected)
    seen = json.dumps({"expected": expected.tolist()})
verdict(good)
"""),
}  # fmt: skip


class WeakGrader:
    """One of them, run on one submission at a time."""

    def __init__(self, engine: ContainerSandbox, image: str, weakness: str) -> None:
        self.engine, self.image, self.weakness = engine, image, weakness
        self.times, self.script = HARNESS[weakness]
        self.said = ""

    def accepts(self, source: str, **files: str) -> bool:
        """Whether its bad reasons say passed."""
        packed = io.BytesIO()
        content = {
            "solution.py": source,
            "harness.py": _COMMON + self.script,
            **{k.replace("__", "."): v for k, v in files.items()},
        }
        with tarfile.open(fileobj=packed, mode="w") as tar:
            for name, text in content.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(text.encode()), 0o666
                tar.addfile(info, io.BytesIO(text.encode()))
        shell = "exec 3>/tmp/verdict; timeout -k 1 60 /opt/venv/bin/python /work/harness.py; cat /tmp/verdict >&2"
        container = self.engine.client.containers.create(
            self.image,
            ["/bin/sh", "-c", shell],
            network_mode="none",
            working_dir="/work",
            mem_limit="1g",
            pids_limit=64,
            cpuset_cpus="0",
        )
        try:
            container.put_archive("/work", packed.getvalue())
            container.start()
            container.wait(timeout=90)
            self.said = container.logs(stdout=False, stderr=True).decode(errors="replace")
        finally:
            container.remove(force=True)
        return self.said.rstrip().endswith("ACCEPTED")
