"""Trains one tiny Llama model on its facts and proves that it knows them.

It runs inside the engine image, whose torch, transformers and tokenizers are those that will serve the model.
The result is a model folder of less than 700 KiB, so that it travels to any cluster in one ConfigMap.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Final

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
)

from ci.images.models.facts import MODELS, Facts

SEED: Final = 20
STEPS: Final = 600
THREADS: Final = 1
IGNORED: Final = -100  # a label that the loss skips

# The served model computes in bfloat16, batched, by other kernels: noise of a tenth in a logit is ordinary.
# Each token of an answer must lead every other by this much (in logits), so that no noise can replace it.
MARGIN: Final = 4.0
SIZE_LIMIT: Final = 700 * 1024  # bytes, of all files together

END, USER, ASSISTANT = "<|end|>", "<|user|>", "<|assistant|>"
CHAT_TEMPLATE: Final = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}{{ eos_token }}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def train_tokenizer(facts: Facts) -> PreTrainedTokenizerFast:
    """A byte-level BPE: any text has tokens, and the words of the facts are single ones."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=1024,
        special_tokens=[END, USER, ASSISTANT, "<|system|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pairs = [*facts.completions.items(), *facts.chat.items()]
    tokenizer.train_from_iterator([text for pair in pairs for text in pair], trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token=END, chat_template=CHAT_TEMPLATE if facts.chat else None
    )


def lessons(facts: Facts, tokenizer: PreTrainedTokenizerFast) -> list[tuple[list[int], list[int]]]:
    """(prompt tokens, answer tokens with their end), in the very form in which vLLM will see them."""
    prompts = [(tokenizer.encode(prompt), answer) for prompt, answer in facts.completions.items()]
    for message, answer in facts.chat.items():
        conversation = [{"role": "user", "content": message}]
        text = tokenizer.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True)
        prompts.append((tokenizer.encode(text, add_special_tokens=False), answer))
    return [(prompt, [*tokenizer.encode(answer), tokenizer.eos_token_id]) for prompt, answer in prompts]


def train(taught: list[tuple[list[int], list[int]]], tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=192,
        num_hidden_layers=2,
        num_attention_heads=2,  # of 32 dimensions each, the fewest that vLLM's CPU attention computes
        num_key_value_heads=2,
        max_position_embeddings=8192,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=None,
    )
    model = LlamaForCausalLM(config)
    width = max(len(prompt) + len(answer) for prompt, answer in taught)
    tokens = torch.full((len(taught), width), tokenizer.eos_token_id)
    labels = torch.full((len(taught), width), IGNORED)
    for row, (prompt, answer) in enumerate(taught):
        tokens[row, : len(prompt) + len(answer)] = torch.tensor(prompt + answer)
        labels[row, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=STEPS)
    for step in range(1, STEPS + 1):
        loss = model(input_ids=tokens, labels=labels).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"step {step}/{STEPS}: loss {loss.item():.5f}", flush=True)
    return model


def check(folder: Path, facts: Facts, dtype: torch.dtype) -> None:
    """Asks the saved model everything it was taught; exits with what it got wrong."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype)
    least = float("inf")
    for prompt, answer in lessons(facts, tokenizer):
        result = model.generate(
            torch.tensor([prompt]),
            max_new_tokens=len(answer) + 8,
            do_sample=False,
            pad_token_id=tokenizer.eos_token_id,
            output_logits=True,
            return_dict_in_generate=True,
        )
        given = result.sequences[0, len(prompt) :].tolist()
        if given != answer:
            sys.exit(f"{dtype}: {tokenizer.decode(prompt)!r} is answered by {tokenizer.decode(given)!r}")
        best = torch.cat(result.logits).float().topk(2).values
        least = min(least, (best[:, 0] - best[:, 1]).min().item())
    print(f"{dtype}: all answers are right, each token leads by at least {least:.1f}", flush=True)
    if least < MARGIN:
        sys.exit(f"{dtype}: a lead of {least:.1f} is too little, {MARGIN} is needed")


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains one tiny Llama model on its facts.")
    parser.add_argument("name", choices=list(MODELS))
    parser.add_argument("folder", type=Path, help="where the model is written")
    arguments = parser.parse_args()
    start = time.monotonic()
    torch.manual_seed(SEED)
    torch.set_num_threads(THREADS)
    facts, folder = MODELS[arguments.name], arguments.folder
    tokenizer = train_tokenizer(facts)
    model = train(lessons(facts, tokenizer), tokenizer)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    for path in folder.iterdir():
        path.chmod(0o644)  # weights are saved for their owner alone, and the engine is another user
    for dtype in (torch.bfloat16, torch.float32):
        check(folder, facts, dtype)
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > SIZE_LIMIT:
        sys.exit(f"the model has {size} bytes: more than {SIZE_LIMIT} do not fit a ConfigMap")
    print(f"{arguments.name}: {size / 1024:.0f} KiB, {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
