#!/bin/sh
# PEFT 0.21.2 with PyTorch 2.8.0: of an alpha_pattern for a parameter (target_parameters, as for stacked experts) it warns that the key
# "did not match any targeted module" and was ignored. It was not: the scaling is the one that the pattern asks for.
# Expected: no warning, or the scaling lora_alpha / r. Seen: the warning, and the scaling 16 / 2 of the pattern in place of 2 / 2.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.8.0 peft==0.21.2 transformers==4.56.2 numpy==2.3.5
"$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import warnings

import peft
import torch


class Experts(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.up_proj = torch.nn.Parameter(torch.zeros(3, 6, 4))


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.experts = Experts()


model = Model()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    peft.inject_adapter_in_model(
        peft.LoraConfig(
            r=2, lora_alpha=2, init_lora_weights=False, target_modules=[], target_parameters=["experts.up_proj"],
            alpha_pattern={"experts.up_proj": 16},
        ),
        model,
    )
told = [str(warning.message) for warning in caught if "alpha_pattern" in str(warning.message)]
scaling = model.experts.scaling["default"]
a, b = (half["default"].weight.detach() for half in (model.experts.lora_A, model.experts.lora_B))
change = model.experts.get_delta_weight("default").detach()
plain = torch.einsum("ore,eri->eoi", b.reshape(b.shape[0], -1, 3), a.reshape(3, -1, a.shape[1]))
factor = float((change * plain).sum() / (plain * plain).sum())
print(f"warning: {told}")
print(f"scaling {scaling}; the change is {factor:.6f} times B A")
assert len(told) == 1 and "ignored: ['experts.up_proj']" in told[0], told
assert scaling == 8.0 and abs(factor - 8.0) < 1e-5, (scaling, factor)
PYTHON
echo "as stated: a pattern that is said to be ignored is applied"
