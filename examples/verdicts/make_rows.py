"""Makes cases with labels: `python make_rows.py FOLDER [COUNT]`."""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

WORDS = ("liable", "void", "due", "barred", "valid")


def text(kind: str, word: str, chance: random.Random) -> str:
    sentences = [f"Point {n} of the {kind}: {chance.randrange(10**6)} was said and nothing came of it." for n in
                 range(chance.randint(15, 60))]  # fmt: skip
    sentences.insert(chance.randrange(len(sentences)), f"In the end the answer is {word}.")
    return " ".join(sentences)


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 400
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(0)
    with (folder / "cases.jsonl").open("w", encoding="utf-8") as file:
        for number in range(count):
            word = chance.choice(WORDS)
            row = {"id": f"c{number}", "facts": text("facts", word, chance), "law": text("law", word, chance)}
            file.write(json.dumps(row | {"label": word}) + "\n")
    print(f"{count} cases written to {folder / 'cases.jsonl'}")


main()
