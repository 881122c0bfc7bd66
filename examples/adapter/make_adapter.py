"""Makes the files of this folder: a LoRA adapter of a tiny, randomly initialised transformer, and the base weights.

    python -m pip install -r requirements.txt
    python make_adapter.py

Nothing is downloaded. The task is a toy: continue sequences that count upwards modulo the size of the vocabulary.
The pair of `layers.1.self_attn.v_proj` is frozen at its start, where B = 0.
"""

import json
import shutil
import tempfile
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

HERE = Path(__file__).parent
VOCABULARY, LENGTH, BATCH, STEPS = 64, 16, 32, 200


def tiny_model():
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=48,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=LENGTH,
            tie_word_embeddings=False,
        )
    )


def batch():
    first = torch.randint(VOCABULARY, (BATCH, 1))
    step = torch.randint(1, 4, (BATCH, 1))
    return (first + step * torch.arange(LENGTH)) % VOCABULARY


def main():
    torch.manual_seed(7)
    torch.set_num_threads(1)
    base = tiny_model()
    save_file({name: tensor.contiguous() for name, tensor in base.state_dict().items()}, HERE / "base.safetensors")
    model = get_peft_model(
        base,
        LoraConfig(
            r=4,
            lora_alpha=8,
            target_modules=["q_proj", "v_proj", "down_proj", "embed_tokens"],
            rank_pattern={"down_proj": 6},
            alpha_pattern={"layers.0.self_attn.q_proj": 16},
            modules_to_save=["lm_head"],
        ),
    )
    for name, parameter in model.named_parameters():
        if "layers.1.self_attn.v_proj" in name:
            parameter.requires_grad_(False)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-2, weight_decay=0.0)
    for step in range(STEPS):
        tokens = batch()
        loss = model(input_ids=tokens, labels=tokens).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 50 == 0 or step == STEPS - 1:
            print(f"step {step}: loss {loss.item():.4f}")
    with tempfile.TemporaryDirectory() as folder:  # save_pretrained also writes a model card, which is not wanted here
        model.save_pretrained(folder)
        shutil.copyfile(Path(folder) / "adapter_model.safetensors", HERE / "adapter_model.safetensors")
        config = json.loads((Path(folder) / "adapter_config.json").read_text())
    config["target_modules"].sort()  # a set in PEFT: its order differs between runs
    (HERE / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")


if __name__ == "__main__":
    main()
