"""Makes adapters with PEFT, diffusers and LyCORIS and compares the merged weight minus the original with `rankscape adapter`.

usage: differential.py RANKSCAPE [WORD...]    only cases whose name contains one of the words
"""

import copy
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import peft
import torch
from safetensors.torch import save_file
from torch import nn
from transformers.pytorch_utils import Conv1D

CASES = {}


def case(name):
    """Registers a function that fills a folder and returns the original weights and the true changes, by module."""

    def register(make):
        CASES[name] = make
        return make

    return register


class Net(nn.Module):
    """Linear layers, a convolution, an embedding and stacked experts, as far as a case uses them."""

    def __init__(self, parts=("fc1", "fc2")):
        super().__init__()
        made = {
            "fc1": lambda: nn.Linear(10, 12),
            "fc2": lambda: nn.Linear(12, 7),
            "conv": lambda: nn.Conv2d(4, 6, 3),
            "turned": lambda: Conv1D(6, 9),
            "square": lambda: Conv1D(8, 8),
            "emb": lambda: nn.Embedding(15, 8),
        }
        for part in parts:
            setattr(self, part, made[part]())

    def forward(self, x):
        return x


def randomize(model, words):
    """Random numbers in all parameters of an adapter, as training would leave them."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if any(word in name for word in words):
                scale = 0.3 if "magnitude" not in name else 0.05
                noise = scale * torch.randn_like(parameter)
                parameter.copy_(parameter + noise if "magnitude" in name or "pissa" in words else noise)


def weights_of(model, parts):
    return {part: getattr(model, part).weight.detach().clone() for part in parts}


def changes(before, after):
    return {part: (after[part].double() - before[part].double()).numpy() for part in before}


def peft_case(config, parts, words=("lora_", "hada_", "lokr_", "vera_lambda"), keep_start=False):
    def make(folder):
        torch.manual_seed(len(parts) + 17 * len(str(config)))
        base = Net(parts)
        original = copy.deepcopy(base)
        model = peft.get_peft_model(base, config)
        if keep_start:
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    if "lora_" in name:
                        parameter.add_(0.1 * torch.randn_like(parameter))
        else:
            randomize(model, words)
        model.save_pretrained(folder)
        loaded = peft.PeftModel.from_pretrained(copy.deepcopy(original), folder)
        merged = loaded.merge_and_unload()
        before = weights_of(original, parts)
        return {f"{part}.weight": weight for part, weight in before.items()}, changes(before, weights_of(merged, parts))

    return make


def lora(**more):
    more = {"r": 3, "lora_alpha": 5, "target_modules": ["fc1", "fc2"], **more}
    return peft.LoraConfig(**more)


TWO = ("fc1", "fc2")
CASES["peft-lora"] = peft_case(lora(), TWO)
CASES["peft-rslora"] = peft_case(lora(use_rslora=True), TWO)
CASES["peft-patterns"] = peft_case(lora(rank_pattern={"fc1": 2}, alpha_pattern={"^fc2": 9}), TWO)
CASES["peft-dora"] = peft_case(lora(use_dora=True), TWO)
CASES["peft-dora-conv"] = peft_case(lora(use_dora=True, target_modules=["conv"]), ("conv",))
CASES["peft-conv"] = peft_case(lora(target_modules=["conv", "fc1"]), ("conv", "fc1"))
CASES["peft-embedding"] = peft_case(lora(target_modules=["emb", "fc1"]), ("emb", "fc1"))
CASES["peft-pissa"] = peft_case(lora(init_lora_weights="pissa"), TWO, keep_start=True)
CASES["peft-pissa-dora"] = peft_case(lora(init_lora_weights="pissa", use_dora=True), TWO, keep_start=True)
CASES["peft-olora"] = peft_case(lora(init_lora_weights="olora"), TWO, keep_start=True)
turned = {"fan_in_fan_out": True, "target_modules": ["turned", "square"]}
CASES["peft-conv1d"] = peft_case(lora(**turned), ("turned", "square"))
CASES["peft-conv1d-dora"] = peft_case(lora(use_dora=True, **turned), ("turned", "square"))
CASES["peft-conv1d-pissa"] = peft_case(lora(init_lora_weights="pissa", **turned), ("turned", "square"), keep_start=True)
# Of a weight that is not square the factors do not fit.
CASES["peft-conv1d-olora"] = peft_case(
    lora(init_lora_weights="olora", fan_in_fan_out=True, target_modules=["square"]), ("square",), keep_start=True
)
CASES["peft-loha"] = peft_case(peft.LoHaConfig(r=2, alpha=3, target_modules=["fc1", "conv"]), ("fc1", "conv"))
CASES["peft-loha-effective"] = peft_case(
    peft.LoHaConfig(r=2, alpha=3, target_modules=["conv"], use_effective_conv2d=True), ("conv",)
)
CASES["peft-lokr"] = peft_case(peft.LoKrConfig(r=2, alpha=3, target_modules=["fc1", "conv"]), ("fc1", "conv"))
CASES["peft-lokr-both"] = peft_case(
    peft.LoKrConfig(r=1, alpha=3, target_modules=["fc1"], decompose_both=True, decompose_factor=2), ("fc1",)
)
CASES["peft-adalora"] = peft_case(
    peft.AdaLoraConfig(init_r=4, target_r=2, lora_alpha=6, total_step=10, target_modules=["fc1", "fc2"]), TWO
)
CASES["peft-vera"] = peft_case(peft.VeraConfig(r=3, target_modules=["fc1", "fc2"], save_projection=True), TWO)


def since(version):
    """Is the installed PEFT at least this one?"""
    return tuple(int(part) for part in peft.__version__.split(".")[:2]) >= version


CASES["peft-orthogonal"] = peft_case(lora(r=4, init_lora_weights="orthogonal"), TWO)
if since((0, 20)):
    CASES["peft-mica"] = peft_case(lora(init_lora_weights="mica"), TWO)
if since((0, 19)):
    CASES["peft-bdlora"] = peft_case(
        lora(r=4, use_bdlora=peft.tuners.lora.config.BdLoraConfig(
            target_modules_bd_a=["fc2"], target_modules_bd_b=["fc1"], nblocks=2
        )),
        TWO,
    )
if since((0, 21)):
    CASES["peft-kasa"] = peft_case(lora(kasa_config=peft.tuners.lora.config.KasaConfig()), TWO)
    CASES["peft-velora"] = peft_case(lora(r=2, velora_config=peft.tuners.lora.config.VeloraConfig(num_groups=2)), TWO)


def experts_case(shapes, transposed=None, modules=("q",), **options):
    """Stacked experts as parameters; `transposed` is what their module says of itself, which PEFT asks since 0.18."""

    def make(folder):
        torch.manual_seed(5)

        class Experts(nn.Module):
            def __init__(self):
                super().__init__()
                if transposed is not None:
                    self.is_transposed = transposed
                for name, shape in shapes.items():
                    setattr(self, name, nn.Parameter(torch.randn(*shape)))

            def forward(self, x):
                return x

        class Moe(nn.Module):
            def __init__(self):
                super().__init__()
                self.experts = Experts()
                self.q = nn.Linear(8, 8)

            def forward(self, x):
                return x

        base = Moe()
        before = {name: getattr(base.experts, name).detach().clone() for name in shapes}
        q = base.q.weight.detach().clone()
        targets = [f"experts.{name}" for name in options.pop("order", shapes)]
        config = lora(r=2, target_modules=list(modules), target_parameters=targets, **options)
        model = peft.get_peft_model(base, config)
        randomize(model, ("lora_",))
        model.save_pretrained(folder)
        merged = model.merge_and_unload()
        truth = {}
        for name, original in before.items():
            change = getattr(merged.experts, name).detach().double() - original.double()
            many = change.ndim == 3
            truth |= {f"experts.{name}[{e}]" if many else f"experts.{name}": change[e].numpy() if many else change.numpy()
                      for e in range(len(change) if many else 1)}
        if "q" in modules:
            truth["q"] = (merged.q.weight.detach().double() - q.double()).numpy()
        return {f"experts.{name}": weight for name, weight in before.items()} | {"q.weight": q}, truth

    return make


GATED = {"gate_up_proj": (3, 8, 10), "down_proj": (3, 5, 8)}
NAMED = {"w_out": (2, 8, 6), "w_in": (2, 4, 8)}
CASES["peft-experts"] = experts_case({"gate_up_proj": (3, 8, 10)})
for said in (None, True, False):
    CASES[f"peft-experts-two-{said}"] = experts_case(GATED, said)
    CASES[f"peft-experts-named-{said}"] = experts_case(NAMED, said, alpha_pattern={"experts.w_in": 16})
    CASES[f"peft-experts-ranks-{said}"] = experts_case(
        NAMED, said, order=["w_in", "w_out"], rank_pattern={"w_out": 3}, alpha_pattern={"w_out": 7}
    )
CASES["peft-experts-single"] = experts_case({"w": (1, 8, 6)})
CASES["peft-experts-alone"] = experts_case(GATED, None, (), use_rslora=True)


@case("peft-attention")
def attention(folder):
    torch.manual_seed(8)

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.attn = nn.MultiheadAttention(8, 2)

        def forward(self, x):
            return self.attn(x, x, x)[0]

    base = Model()
    before = {name: weight.detach().clone() for name, weight in base.state_dict().items()}
    model = peft.get_peft_model(base, lora(r=2, target_modules=["attn"]))
    randomize(model, ("lora_",))
    model.save_pretrained(folder)
    merged = peft.PeftModel.from_pretrained(restored(Model(), before), folder).merge_and_unload()
    after = merged.state_dict()
    names = {"attn": "attn.in_proj_weight", "attn.out_proj": "attn.out_proj.weight"}
    truth = {module: (after[name].double() - before[name].double()).numpy() for module, name in names.items()}
    return {name: before[name] for name in names.values()}, truth


def restored(model, state):
    model.load_state_dict(state)
    return model


def lycoris_case(**options):
    def make(folder):
        from lycoris import LycorisNetwork, create_lycoris, create_lycoris_from_weights

        torch.manual_seed(31)
        base = Net(("fc1", "conv"))
        original = copy.deepcopy(base)
        LycorisNetwork.apply_preset({"target_module": ["Linear", "Conv2d"]})
        network = create_lycoris(base, 1.0, **options)
        network.apply_to()
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                scale = 0.05 if "dora" in name else 0.3
                noise = scale * torch.randn_like(parameter)
                parameter.copy_(parameter + noise if "dora" in name else noise)
        path = pathlib.Path(folder) / "lora.safetensors"
        network.save_weights(str(path), torch.float32, {})
        fresh = copy.deepcopy(original)
        loaded, _ = create_lycoris_from_weights(1.0, str(path), fresh)
        loaded.merge_to(1.0)
        parts = ("fc1", "conv")
        before = weights_of(original, parts)
        return {f"{part}.weight": weight for part, weight in before.items()}, changes(before, weights_of(fresh, parts))

    return make


CASES["lycoris-locon"] = lycoris_case(algo="lora", linear_dim=2, linear_alpha=1)
CASES["lycoris-tucker"] = lycoris_case(algo="lora", linear_dim=2, linear_alpha=3, use_tucker=True)
CASES["lycoris-dora"] = lycoris_case(algo="lora", linear_dim=2, linear_alpha=3, dora_wd=True)
CASES["lycoris-loha"] = lycoris_case(algo="loha", linear_dim=2, linear_alpha=3)
CASES["lycoris-loha-tucker"] = lycoris_case(algo="loha", linear_dim=2, linear_alpha=1, use_tucker=True)
CASES["lycoris-lokr"] = lycoris_case(algo="lokr", linear_dim=1, linear_alpha=2, factor=2)


@case("diffusers-unet")
def diffusers_unet(folder):
    from diffusers import StableDiffusionPipeline, UNet2DConditionModel
    from peft.utils import get_peft_model_state_dict

    torch.manual_seed(3)
    unet = UNet2DConditionModel(
        block_out_channels=(8, 8), layers_per_block=1, sample_size=8, in_channels=4, out_channels=4, norm_num_groups=4,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        cross_attention_dim=8, attention_head_dim=2,
    )
    before = {name: weight.detach().clone() for name, weight in unet.state_dict().items()}
    unet.add_adapter(lora(r=2, target_modules=["attn1.to_q", "conv_in"]))
    randomize(unet, ("lora_",))
    state = get_peft_model_state_dict(unet)
    metadata = unet.peft_config["default"].to_dict()
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=state, unet_lora_adapter_metadata=metadata)
    unet.fuse_lora()
    truth = {}
    for name, weight in unet.state_dict().items():
        plain = name.replace(".base_layer", "")
        if name.endswith(".base_layer.weight"):
            truth[plain.removesuffix(".weight")] = (weight.double() - before[plain].double()).numpy()
    return {f"{name}.weight": before[f"{name}.weight"] for name in truth}, truth


def found_of(binary, folder, base):
    run = subprocess.run(
        [binary, "adapter", folder, "--base", base, "--json"], capture_output=True, text=True, check=False
    )
    if run.returncode not in (0, 3):
        return None, run.stderr.strip()
    return json.loads(run.stdout)["pairs"], ""


def flat_name(name):
    return name.replace(".", "_").replace("_base_layer", "")


def compare(pairs, module, change):
    """What is wrong with the pair of a module, or nothing."""
    plain, _, expert = module.partition("[")
    wanted = flat_name(plain)
    of = [p for p in pairs if flat_name(p["name"]).endswith(wanted)]
    if expert:
        of = [p for p in of if p["expert"] and p["expert"]["index"] == int(expert.rstrip("]"))]
    if len(of) != 1:
        return f"{len(of)} pairs are called so"
    values = of[0]["singular_values"]
    if values is None:
        return of[0]["undetermined"]
    true = np.linalg.svd(change.reshape(change.shape[0], -1), compute_uv=False)
    values = np.array(values + [0.0] * len(true))[: len(true)]
    off = np.abs(values - true).max() / true[0]
    rank = int((true > 1e-5 * true[0]).sum())
    ranks = of[0]["ranks"]
    decided = (ranks["update"] or ranks["product"])["rank"]
    if off > 1e-4:
        return f"singular values off by {off:.1e}: {values[:3]}, true {true[:3]}"
    return "" if decided == rank else f"rank {decided}, true {rank}"


def main():
    binary, words = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:]
    from importlib.metadata import version

    print(", ".join(f"{name} {version(name)}" for name in ("torch", "peft", "diffusers", "lycoris-lora", "transformers")))
    wrong = 0
    for name, make in CASES.items():
        if words and not any(word in name for word in words):
            continue
        with tempfile.TemporaryDirectory() as folder:
            adapter = pathlib.Path(folder) / "adapter"
            adapter.mkdir()
            try:
                base, truth = make(str(adapter))
            except Exception as error:  # the tool itself fails: said, and no difference of ours
                print(f"skipped  {name}: {type(error).__name__}: {error}")
                continue
            save_file({key: weight.contiguous() for key, weight in base.items()}, f"{folder}/base.safetensors")
            pairs, problem = found_of(binary, str(adapter), f"{folder}/base.safetensors")
            if pairs is None:
                wrong += 1
                print(f"REFUSED  {name}: {problem}")
                continue
            problems = {module: compare(pairs, module, change) for module, change in truth.items()}
            problems = {module: text for module, text in problems.items() if text}
            wrong += bool(problems)
            print(f"{'WRONG' if problems else 'right':8} {name}" + "".join(f"\n         {m}: {t}" for m, t in problems.items()))
    print(f"{wrong} differ")
    sys.exit(min(wrong, 100))


if __name__ == "__main__":
    main()
