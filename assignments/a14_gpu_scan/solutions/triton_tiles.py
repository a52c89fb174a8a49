"""Triton, on torch's tensors: sums of tiles, their scan by the same function, then tiles with what comes before them."""

import torch
import triton
import triton.language as tl

TILE = 4096
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@triton.jit
def tile_sums(x, sums, n, tile: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * tile + tl.arange(0, tile)
    tl.store(sums + tl.program_id(0), tl.sum(tl.load(x + i, mask=i < n, other=0.0), axis=0))


@triton.jit
def scan_tiles(x, through, y, n, tile: tl.constexpr):
    block = tl.num_programs(0) - 1 - tl.program_id(0)
    i = block.to(tl.int64) * tile + tl.arange(0, tile)
    values = tl.cumsum(tl.load(x + i, mask=i < n, other=0.0), axis=0)
    before = tl.load(through + block - 1, mask=block > 0, other=0.0)
    tl.store(y + i, values + before, mask=i < n)


def sums_so_far(x):
    n = x.numel()
    y = torch.empty_like(x)
    tiles = triton.cdiv(n, TILE)
    if tiles <= 1:
        if n:
            scan_tiles[(1,)](x, x, y, n, tile=TILE)
        return y
    sums = torch.empty(tiles, dtype=x.dtype, device=x.device)
    tile_sums[(tiles,)](x, sums, n, tile=TILE, num_warps=8)
    scan_tiles[(tiles,)](x, sums_so_far(sums), y, n, tile=TILE, num_warps=8)
    return y


def scan(x):
    return sums_so_far(torch.as_tensor(x, device=DEVICE))
