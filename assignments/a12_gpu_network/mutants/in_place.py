# dies by: too-slow
# needs: gpu
# Right, and as good as single operators get: biases inside the products, tanh in place; four passes over the hidden layer instead of six.
import torch

H = 50
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def nn_batch(U, p):
    U, p = torch.as_tensor(U, device=DEVICE), torch.as_tensor(p, device=DEVICE)
    v = torch.ones((3, U.shape[1]), device=DEVICE)
    torch.mul(U * U, U, out=v[:2])
    z = torch.cat([p[:100].view(H, 2), p[100:150, None]], dim=1) @ v
    return torch.addmm(p[250:, None], p[150:250].view(2, H), z.tanh_())
