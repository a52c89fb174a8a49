"""A kernel in Triton: 256 states a program, tanh from an exponential that cannot overflow."""

import torch
import triton
import triton.language as tl

H = 50
BLOCK = 256
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@triton.jit
def rates(U, p, out, B, H: tl.constexpr, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    there = i < B
    x = tl.load(U + i, mask=there, other=0.0)
    y = tl.load(U + B + i, mask=there, other=0.0)
    x, y = x * x * x, y * y * y
    fx = tl.zeros([BLOCK], dtype=tl.float32) + tl.load(p + 5 * H)
    fy = tl.zeros([BLOCK], dtype=tl.float32) + tl.load(p + 5 * H + 1)
    for h in range(H):
        z = tl.load(p + 2 * h) * x + tl.load(p + 2 * h + 1) * y + tl.load(p + 2 * H + h)
        e = tl.exp(-2.0 * tl.abs(z))  # at most 1
        s = (1.0 - e) / (1.0 + e)
        s = tl.where(z < 0.0, -s, s)
        fx += tl.load(p + 3 * H + h) * s
        fy += tl.load(p + 4 * H + h) * s
    tl.store(out + i, fx, mask=there)
    tl.store(out + B + i, fy, mask=there)


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    B = U.shape[1]
    out = torch.empty_like(U)
    if B:
        rates[(triton.cdiv(B, BLOCK),)](U, p, out, B, H=H, BLOCK=BLOCK)
    return out


for warm in (1, 2, 16):  # compiles: lengths of 1, of other numbers, and of multiples of 16
    nn_batch(torch.zeros((2, warm), device=DEVICE), torch.zeros(252, device=DEVICE))
