# dies by: wrong-answer
# Works in half precision, twice as fast where memory is the limit.
import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def nn_batch(U, p):
    U, p = (torch.as_tensor(a, device=DEVICE).to(torch.float16) for a in (U, p))
    s = torch.tanh(p[:100].view(H, 2) @ (U * U * U) + p[100:150, None])
    return (p[150:250].view(2, H) @ s + p[250:, None]).float()
