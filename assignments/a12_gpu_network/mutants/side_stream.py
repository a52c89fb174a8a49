# dies by: wrong-answer
# needs: gpu
# Computes on a stream of its own, behind other work, and does not wait for it.
import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIDE = torch.cuda.Stream() if DEVICE == "cuda" else None


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    out = torch.zeros_like(U)
    torch.cuda.current_stream().synchronize()
    with torch.cuda.stream(SIDE):
        torch.cuda._sleep(20_000_000)  # clocks: about 10 ms
        s = torch.tanh(p[:100].view(H, 2) @ U**3 + p[100:150, None])
        out.copy_(p[150:250].view(2, H) @ s + p[250:, None])
    return out
