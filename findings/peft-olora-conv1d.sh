#!/bin/sh
# PEFT 0.21.2 with PyTorch 2.8.0 and transformers 4.56.2: OLoRA on a Conv1D of GPT-2 (fan_in_fan_out=True) takes its factors from the
# weight as it is stored, (in, out), and applies them as (out, in). A square module is silently another map before the first step;
# one that is not square fails when it runs.
# Expected: a new OLoRA adapter changes no output, as with a Linear, and as PiSSA does on the same Conv1D.
# Seen: the outputs of a square module differ by as much as they are (18.7 here); a RuntimeError where it is not square.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.8.0 peft==0.21.2 transformers==4.56.2 numpy==2.3.5
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import peft
import torch
from transformers.pytorch_utils import Conv1D


def change(initialization, make):
    """How much of the output a new adapter changes, or the name of the error."""
    torch.manual_seed(0)
    layer = make()
    torch.nn.init.normal_(layer.weight, std=0.5)
    x = torch.randn(5, 8)
    model = torch.nn.ModuleDict({"fc": layer})
    model.forward = lambda x: model["fc"](x)
    before = layer(x)
    is_conv = isinstance(layer, Conv1D)
    config = peft.LoraConfig(r=2, init_lora_weights=initialization, target_modules=["fc"], fan_in_fan_out=is_conv)
    peft.get_peft_model(model, config)
    try:
        return float((model["fc"](x) - before).detach().abs().max())
    except RuntimeError as error:
        return type(error).__name__


for name, initialization, make, right in [
    ("olora, Linear 8 x 8", "olora", lambda: torch.nn.Linear(8, 8), lambda d: d < 1e-5),
    ("pissa, Conv1D 8 x 8", "pissa", lambda: Conv1D(8, 8), lambda d: d < 1e-5),
    ("pissa, Conv1D 8 x 4", "pissa", lambda: Conv1D(4, 8), lambda d: d < 1e-5),
    ("olora, Conv1D 8 x 8", "olora", lambda: Conv1D(8, 8), lambda d: d > 1.0),
    ("olora, Conv1D 8 x 4", "olora", lambda: Conv1D(4, 8), lambda d: d == "RuntimeError"),
]:
    found = change(initialization, make)
    print(f"{name}: {found}")
    assert right(found), (name, found)
PYTHON
echo "as stated: a new OLoRA adapter changes a square Conv1D and breaks any other"
