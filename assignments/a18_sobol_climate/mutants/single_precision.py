# dies by: wrong-answer
# Steps in single precision: twice as many lanes, seven digits.
from pathlib import Path
import subprocess

import cffi
import numpy as np

LOW = np.array([3.3, 0.9, 0.00, 6.0, 60.0, 0.5])
HIGH = np.array([4.3, 1.7, 0.04, 10.0, 180.0, 1.0])
Path("march.c").write_text("""
void march(const float *p, long n, long steps, float *out)
{
    for (long j = 0; j < n; j++) {
        const float *m = p + 6 * j;
        float t = 0, d = 0;
        for (long k = 0; k < steps; k++) {
            const float r = k < 700 ? k / 700.0f : 1.0f, c = m[5] * (t - d);
            t += (m[0] * r - m[1] * t + m[2] * t * t - c) / (10 * m[3]);
            d += c / (10 * m[4]);
        }
        out[j] = t;
    }
}
""")
subprocess.run(["gcc", "-O3", "-march=native", "-ffast-math", "-shared", "-fPIC", "march.c", "-o", "march.so"], check=True)
ffi = cffi.FFI()
ffi.cdef("void march(const float *p, long n, long steps, float *out);")
library = ffi.dlopen("./march.so")


def warming(p, years):
    p, out = p.astype(np.float32, order="C"), np.empty(len(p), np.float32)
    library.march(ffi.cast("float *", p.ctypes.data), len(p), 10 * years, ffi.cast("float *", out.ctypes.data))
    return out.astype(float)


def estimate(fA, fB, mixed):
    m, V = np.mean([fA, fB]), np.var([fA, fB])
    if V == 0:
        return np.zeros(len(mixed)), np.zeros(len(mixed))
    S = [np.mean((fB - m) * (fi - fA)) / V for fi in mixed]
    return np.array(S), np.array([np.mean((fA - fi) ** 2) / (2 * V) for fi in mixed])


def exchanged(A, B):
    return [np.where(np.arange(A.shape[1]) == i, B, A) for i in range(A.shape[1])]


def sobol(f, A, B):
    fA, fB, *mixed = (np.array([f(x) for x in points]) for points in (A, B, *exchanged(A, B)))
    return estimate(fA, fB, mixed)


def climate_indices(A, B, years):
    fA, fB, *mixed = (warming(LOW + (HIGH - LOW) * points, years) for points in (A, B, *exchanged(A, B)))
    return estimate(fA, fB, mixed)
