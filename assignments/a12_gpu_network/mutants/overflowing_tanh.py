# dies by: not-finite
# tanh as it is defined: exp(2z) overflows for z beyond 44, and infinity over infinity is no number.
import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    e = torch.exp(2 * (p[:100].view(H, 2) @ (U * U * U) + p[100:150, None]))
    return p[150:250].view(2, H) @ ((e - 1) / (e + 1)) + p[250:, None]
