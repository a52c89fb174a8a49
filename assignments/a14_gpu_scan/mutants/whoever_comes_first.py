# dies by: wrong-answer
# needs: gpu
# Every tile adds its sum to all later ones by atomic additions: right up to rounding, but in an order of the moment.
import torch
import triton
import triton.language as tl

TILE = 4096
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


@triton.jit
def spread_sums(x, before, n, tiles, tile: tl.constexpr, room: tl.constexpr):
    me = tl.program_id(0)
    i = me.to(tl.int64) * tile + tl.arange(0, tile)
    total = tl.sum(tl.load(x + i, mask=i < n, other=0.0), axis=0)
    later = tl.arange(0, room)
    tl.atomic_add(before + later, total + tl.zeros([room], tl.float32), mask=(later > me) & (later < tiles))


@triton.jit
def scan_tiles(x, before, y, n, tile: tl.constexpr):
    me = tl.program_id(0)
    i = me.to(tl.int64) * tile + tl.arange(0, tile)
    values = tl.cumsum(tl.load(x + i, mask=i < n, other=0.0), axis=0)
    tl.store(y + i, values + tl.load(before + me), mask=i < n)


def scan(x):
    x = torch.as_tensor(x, device=DEVICE)
    y, n = torch.empty_like(x), x.numel()
    if n:
        tiles = triton.cdiv(n, TILE)
        before = torch.zeros(tiles, device=DEVICE)
        spread_sums[(tiles,)](x, before, n, tiles, tile=TILE, room=triton.next_power_of_2(tiles))
        scan_tiles[(tiles,)](x, before, y, n, tile=TILE)
    return y
