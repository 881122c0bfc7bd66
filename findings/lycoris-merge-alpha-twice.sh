#!/bin/sh
# LyCORIS (lycoris-lora) 3.2.0.post2 with PyTorch 2.8.0: LoHa and LoKr scale by alpha / rank once when they run and twice when they
# merge. A merged network is another one than the one that was trained, unless alpha equals the rank.
# Expected: outputs of the network with the adapter and of the network merged with merge_to() agree to rounding, as for LoCon.
# Seen, with rank 2 and alpha 3: the merged change is 1.5 times the change of the running network.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.8.0 lycoris-lora==3.2.0.post2 safetensors==0.8.0 numpy==2.3.5
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import copy

import torch
from lycoris import LycorisNetwork, create_lycoris


def ratio(**options):
    torch.manual_seed(0)
    base = torch.nn.Sequential(torch.nn.Linear(6, 6, bias=False))
    before = base[0].weight.detach().clone()
    LycorisNetwork.apply_preset({"target_module": ["Linear"]})
    network = create_lycoris(base, 1.0, **options)
    network.apply_to()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.3 * torch.randn_like(parameter))
        x = torch.eye(6)
        running = base(x).T - before
        network.restore()
        network.merge_to(1.0)
        merged = base[0].weight - before
    factor = float((running * merged).sum() / (running * running).sum())
    assert torch.allclose(merged, factor * running, atol=1e-6)
    return factor


for name, options, expected in [
    ("LoCon", {"algo": "lora"}, 1.0),
    ("LoHa", {"algo": "loha"}, 1.5),
    ("LoKr", {"algo": "lokr", "factor": 2}, 1.5),
]:
    found = ratio(linear_dim=1 if name == "LoKr" else 2, linear_alpha=1.5 if name == "LoKr" else 3, **options)
    print(f"{name}: merged change / running change = {found:.6f}")
    assert abs(found - expected) < 1e-5, (name, found)
PYTHON
echo "as stated: LoHa and LoKr merge with alpha / rank squared"
