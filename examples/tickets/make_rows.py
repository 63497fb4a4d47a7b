"""Write a few hundred support tickets as rows, and their labels; the same ones every time.

Usage: python make_rows.py FOLDER [COUNT]
"""

import json
import random
import sys
from pathlib import Path

CASES = {
    "billing": [
        (
            "Charged twice",
            "I was charged twice this month, {n} dollars each time. Can I have one refund? When does it arrive?",
        ),
        ("Invoice", "The invoice {n} names the wrong company. Can you change it? Is a new plan needed for that?"),
        ("Ending my plan", "I ended my plan on day {n}. Is the rest of the month refunded?"),
    ],
    "login": [
        ("Cannot get in", "My password is refused since {n} hours. How do I reset my password?"),
        ("Locked", "The account is locked after {n} tries. Can somebody open it? Why was it locked?"),
        ("No code", "The code does not arrive, I tried {n} times. Where does it go?"),
    ],
    "bug": [
        ("Export broken", "The export of {n} lines ends with an error. Is that known? When will the export work?"),
        ("Crash", "The page crashes when I open report {n}. What can I do?"),
    ],
    "other": [
        ("Thanks", "Your team helped me {n} times this year. I only wanted to say that."),
        ("An idea", "It would be good to see {n} rows at a time. Do you think about that?"),
    ],
}


def main() -> None:
    folder, count = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 300
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(7)
    with (
        (folder / "tickets.jsonl").open("w", encoding="utf-8") as rows,
        (folder / "labels.jsonl").open("w", encoding="utf-8") as labels,
    ):
        for number in range(1, count + 1):
            label = chance.choice(list(CASES))
            subject, body = chance.choice(CASES[label])
            rows.write(
                json.dumps({"id": f"t{number:04}", "subject": subject, "body": body.format(n=chance.randint(2, 90))})
                + "\n"
            )
            labels.write(json.dumps({"id": f"t{number:04}", "label": label}) + "\n")
    print(f"{count} tickets written to {folder / 'tickets.jsonl'}", file=sys.stderr)


main()
