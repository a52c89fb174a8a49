# dies by: wrong-answer
# needs: gpu
# Fused in Triton, with the second product on tensor cores, which take TF32; a simulator multiplies exactly.
import torch
import triton
import triton.language as tl

BLOCK = 64
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@triton.jit
def rates(U, p, out, B, BLOCK: tl.constexpr):
    i, h, k = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK), tl.arange(0, 64), tl.arange(0, 16)
    there = i < B
    x, y = tl.load(U + i, mask=there, other=0.0), tl.load(U + B + i, mask=there, other=0.0)
    x, y = x * x * x, y * y * y
    a = tl.load(p + 2 * h, mask=h < 50, other=0.0)
    c = tl.load(p + 2 * h + 1, mask=h < 50, other=0.0)
    b = tl.load(p + 100 + h, mask=h < 50, other=0.0)
    z = a[None, :] * x[:, None] + c[None, :] * y[:, None] + b[None, :]
    s = 1.0 - 2.0 / (1.0 + tl.exp(2.0 * z))
    w = tl.load(p + 150 + 50 * k[None, :] + h[:, None], mask=(k[None, :] < 2) & (h[:, None] < 50), other=0.0)
    f = tl.dot(s, w, input_precision="tf32")
    f += tl.load(p + 250 + k, mask=k < 2, other=0.0)[None, :]
    tl.store(out + k[None, :] * B + i[:, None], f, mask=(k[None, :] < 2) & there[:, None])


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    out = torch.empty_like(U)
    if U.shape[1]:
        rates[(triton.cdiv(U.shape[1], BLOCK),)](U, p, out, U.shape[1], BLOCK=BLOCK)
    return out
