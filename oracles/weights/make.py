# state_dicts written by torch itself, with what the modules compute
import sys
import numpy as np
import torch
from torch import nn
from safetensors.torch import save_file
torch.manual_seed(1)
out = sys.argv[1] + "/"
def save(name, model, d0, extra=None):
    X=torch.randn(6,d0,dtype=torch.float64).float()
    model.eval()
    with torch.no_grad(): Y=model(X)
    save_file({k:v.contiguous() for k,v in model.state_dict().items()}, out+name+".safetensors")
    np.savez(out+name+"-data.npz", X=X.numpy().astype("float64"), Y=Y.numpy().astype("float64"))
    print(name, {k:tuple(v.shape) for k,v in model.state_dict().items()})
import warnings; warnings.filterwarnings("ignore")
def train(m,d):
    m.train()
    for _ in range(30): m(torch.randn(4,d))
    return m
save("plain", nn.Sequential(nn.Linear(4,3),nn.Linear(3,2)),4)
save("gaps", nn.Sequential(nn.Linear(4,3),nn.Identity(),nn.Linear(3,2)),4)
save("spectral_old", train(nn.Sequential(nn.utils.spectral_norm(nn.Linear(3,3)),nn.Linear(3,2)),3),3)
save("spectral_new", train(nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Linear(3,3)),nn.Linear(3,2)),3),3)
save("weightnorm_old", nn.Sequential(nn.utils.weight_norm(nn.Linear(3,3)),nn.Linear(3,2)),3)
save("weightnorm_new", nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3,3)),nn.Linear(3,2)),3)
save("weightnorm_dim1", nn.Sequential(nn.utils.weight_norm(nn.Linear(3,3),dim=1),nn.Linear(3,2)),3)
save("weightnorm_none", nn.Sequential(nn.utils.weight_norm(nn.Linear(3,3),dim=None),nn.Linear(3,2)),3)
save("weightnorm_new_none", nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(3,3),dim=None),nn.Linear(3,2)),3)
save("orthogonal", nn.Sequential(nn.utils.parametrizations.orthogonal(nn.Linear(3,3)),nn.Linear(3,2)),3)
save("batchnorm", nn.Sequential(nn.Linear(3,3),nn.BatchNorm1d(3),nn.Linear(3,2)),3)
save("batchnorm_plain", nn.Sequential(nn.Linear(3,3),nn.BatchNorm1d(3,affine=False),nn.Linear(3,2)),3)
save("layernorm", nn.Sequential(nn.Linear(3,3),nn.LayerNorm(3),nn.Linear(3,2)),3)
save("layernorm_nobias", nn.Sequential(nn.Linear(3,3),nn.LayerNorm(3,bias=False),nn.Linear(3,2)),3)
save("prelu", nn.Sequential(nn.Linear(3,3),nn.PReLU(),nn.Linear(3,2)),3)
save("conv", nn.Sequential(nn.Unflatten(1,(1,2,2)),nn.Conv2d(1,1,1),nn.Flatten(),nn.Linear(4,2)),4)
class AE(nn.Module):
    def __init__(s):
        super().__init__(); s.decoder=nn.Sequential(nn.Linear(2,3),nn.Linear(3,4)); s.encoder=nn.Sequential(nn.Linear(4,3),nn.Linear(3,2))
    def forward(s,x): return s.decoder(s.encoder(x))
save("autoencoder", AE(),4)
class Tied(nn.Module):
    def __init__(s):
        super().__init__(); s.encoder=nn.Linear(4,2); s.bias=nn.Parameter(torch.zeros(4))
    def forward(s,x): return s.encoder(x)@s.encoder.weight+s.bias
save("tied", Tied(),4)
class Head(nn.Module):
    def __init__(s):
        super().__init__(); s.out=nn.Linear(3,2); s.inp=nn.Linear(4,3)
    def forward(s,x): return s.out(s.inp(x))
save("inout", Head(),4)
class Bil(nn.Module):
    def __init__(s):
        super().__init__(); s.fc2=nn.Linear(3,2,bias=False); s.fc1=nn.Linear(4,3,bias=False)
    def forward(s,x): return s.fc2(s.fc1(x))
save("fc", Bil(),4)
