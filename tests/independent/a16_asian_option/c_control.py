"""C with pthreads, a PCG generator a thread, Marsaglia's polar method; the geometric payoff as control variate."""

import math
import subprocess
from pathlib import Path

import numpy as np
from cffi import FFI

Path("asian.c").write_text("""
#include <math.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
typedef struct { double S0, K, drift, spread, discount; long m, count; uint64_t state, inc; double sums[5]; } job;
static uint32_t pcg(job *j) {
    uint64_t old = j->state;
    j->state = old * 6364136223846793005ULL + j->inc;
    uint32_t x = (uint32_t)(((old >> 18) ^ old) >> 27), rot = (uint32_t)(old >> 59);
    return (x >> rot) | (x << ((-rot) & 31));
}
static double uniform(job *j) {
    uint64_t high = pcg(j), low = pcg(j);
    return ((high << 21) ^ (low >> 11)) * 0x1p-53;
}
static void *run(void *p) {
    job *j = p;
    double spare = 0; int have = 0;
    for (long i = 0; i < j->count; i++) {
        double logs = log(j->S0), sum = 0, logsum = 0;
        for (long k = 0; k < j->m; k++) {
            double z;
            if (have) { z = spare; have = 0; }
            else {
                double u, v, q;
                do { u = 2 * uniform(j) - 1; v = 2 * uniform(j) - 1; q = u * u + v * v; } while (q >= 1 || q == 0);
                double f = sqrt(-2 * log(q) / q);
                z = u * f; spare = v * f; have = 1;
            }
            logs += j->drift + j->spread * z;
            logsum += logs;
            sum += exp(logs);
        }
        double a = j->discount * fmax(sum / j->m - j->K, 0), g = j->discount * fmax(exp(logsum / j->m) - j->K, 0);
        j->sums[0] += a; j->sums[1] += g; j->sums[2] += a * a; j->sums[3] += a * g; j->sums[4] += g * g;
    }
    return 0;
}
void simulate(job *jobs, long p) {
    pthread_t id[p];
    for (long k = 1; k < p; k++) pthread_create(id + k, 0, run, jobs + k);
    run(jobs);
    for (long k = 1; k < p; k++) pthread_join(id[k], 0);
}
""")
subprocess.run(
    ["gcc", "-O3", "-march=native", "-shared", "-fPIC", "-pthread", "-o", "asian.so", "asian.c", "-lm"], check=True
)
ffi = FFI()
ffi.cdef("""
typedef struct { double S0, K, drift, spread, discount; long m, count; uint64_t state, inc; double sums[5]; } job;
void simulate(job *jobs, long p);
""")
library = ffi.dlopen("./asian.so")


def phi(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


def geometric(S0, K, r, sigma, T, m):
    """Discounted mean of max(G - K, 0)."""
    dt = T / m
    mean = math.log(S0) + (r - sigma**2 / 2) * dt * (m + 1) / 2
    sd = math.sqrt(sigma**2 * dt * (m + 1) * (2 * m + 1) / (6 * m))
    if K <= 0:
        return math.exp(-r * T) * (math.exp(mean + sd**2 / 2) - K)
    if sd == 0:
        return math.exp(-r * T) * max(math.exp(mean) - K, 0)
    d = (mean - math.log(K)) / sd
    return math.exp(-r * T) * (math.exp(mean + sd**2 / 2) * phi(d + sd) - K * phi(d))


def asian_call(S0, K, r, sigma, T, m, npaths, seed, p):
    dt = T / m
    states = np.random.SeedSequence(seed).spawn(p)
    jobs = ffi.new("job[]", p)
    for k, state in enumerate(states):
        a, b = state.generate_state(2, np.uint64)
        jobs[k] = {
            "S0": S0, "K": K, "drift": (r - sigma**2 / 2) * dt, "spread": sigma * math.sqrt(dt), "discount": math.exp(-r * T), "m": m,
            "count": npaths * (k + 1) // p - npaths * k // p, "state": int(a), "inc": int(b) | 1,
        }  # fmt: skip
    library.simulate(jobs, p)
    a, g, aa, ag, gg = (sum(jobs[k].sums[i] for k in range(p)) for i in range(5))
    n = npaths
    var_a, cov, var_g = (aa - a * a / n) / (n - 1), (ag - a * g / n) / (n - 1), (gg - g * g / n) / (n - 1)
    beta = cov / var_g if var_g > 1e-12 * (1 + gg / n) else 0.0
    price = a / n - beta * (g / n - geometric(S0, K, r, sigma, T, m))
    return price, math.sqrt(max(var_a - beta * cov, 0.0) / n)
