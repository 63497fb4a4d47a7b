"""Three jobs with labels: one that should fan out, one that should not, one that few rows cannot tell.

The stand-ins are right as often as is written beside them, on rows chosen by a hash of what they read.
"""

from __future__ import annotations

import hashlib
import re

from pydantic import BaseModel

from fanwise import agent, graph, step

SMALL, LARGE = "claude-haiku-5-5", "claude-opus-5-5"


class Case(BaseModel):
    id: str
    facts: str
    law: str


def found(text: str, who: str, right: int) -> str:
    """Return the word that the text gives away, or another one on a share of all texts."""
    drawn = int(hashlib.sha256(f"{who} {text}".encode()).hexdigest(), 16) % 100
    words = re.findall(r"the answer is (\w+)", text)
    return words[0] if words and drawn < right else "unclear"


# Two small agents that each read what they need, against a large one that reads all of it.


@agent(model=SMALL, max_tokens=60)
def read_facts(facts: str) -> str:
    """Say in one word what the facts come to."""
    return found(facts, "facts", 97)


@agent(model=SMALL, max_tokens=60)
def read_law(law: str) -> str:
    """Say in one word what the law asks for."""
    return found(law, "law", 98)


@step
def ruling(facts: str, law: str) -> str:
    return facts if facts == law else "unclear"


@graph
def apart(case: Case) -> str:
    return ruling(read_facts(case.facts), read_law(case.law))


@agent(model=LARGE, max_tokens=60)
def read_all(facts: str, law: str) -> str:
    """Say in one word what the facts and the law come to."""
    return found(facts, "all", 94)


@graph
def alone(case: Case) -> str:
    return read_all(case.facts, case.law)


# Three agents in a row, each of which reads everything again, against one of the same size.


@agent(model=SMALL, max_tokens=60)
def propose(facts: str, law: str) -> str:
    """Propose an answer in one word."""
    return found(facts, "all", 94)


@agent(model=SMALL, max_tokens=60)
def check(facts: str, law: str, proposal: str) -> str:
    """Check the proposal, and say what is wrong with it."""
    return "nothing"


@agent(model=SMALL, max_tokens=60)
def decide(facts: str, law: str, proposal: str, objection: str) -> str:
    """Decide in one word."""
    return proposal


@graph
def in_a_row(case: Case) -> str:
    proposal = propose(case.facts, case.law)
    return decide(case.facts, case.law, proposal, check(case.facts, case.law, proposal))


@graph
def small_alone(case: Case) -> str:
    return propose.options(name="small_alone")(case.facts, case.law)


# Two small agents against one of the same size: about the same price, and about as often right.


@agent(model=SMALL, max_tokens=60)
def skim(facts: str) -> str:
    """Say in one word what the facts come to."""
    return found(facts, "skim", 72)


@agent(model=SMALL, max_tokens=60)
def weigh(law: str, facts: str) -> str:
    """Say in one word what the law asks for, given the facts in one word."""
    return facts


@graph
def halves(case: Case) -> str:
    return weigh(case.law, skim(case.facts))


@agent(model=SMALL, max_tokens=60)
def guess(facts: str, law: str) -> str:
    """Say in one word what the facts and the law come to."""
    return found(facts, "guess", 70)


@graph
def guess_alone(case: Case) -> str:
    return guess(case.facts, case.law)
