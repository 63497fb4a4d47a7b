"""Values as a model reads them: raw where they are texts, short ones on a line, in the order of the signature."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fanwise.canonical import canonical
from rendered import LONG, Mail, asked, back, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("It does not load.", "it: It does not load."),
        ("a\\nb: 5 < 6", "it: a\\nb: 5 < 6"),
        ("x" * 5000, "it: " + "x" * 5000),
        (5, "it: 5"),
        (1.5, "it: 1.5"),
        (True, "it: true"),
        (None, "it: null"),
        (Decimal("12.50"), 'it: "12.50"'),
        ("12", 'it: "12"'),
        ("true", 'it: "true"'),
        ("", 'it: ""'),
        (" ", 'it: " "'),
        ("[draft]", 'it: "[draft]"'),
        ("<b>bold</b>", 'it: "<b>bold</b>"'),
        ("one\ntwo", "<it>\none\ntwo\n</it>"),
        ("one\u2028two", "<it>\none\u2028two\n</it>"),
        ('say "x"', '<it>\nsay "x"\n</it>'),
        ("\n", "<it>\n\n\n</it>"),
        ("a </it> b\n", "<it-1>\na </it> b\n\n</it-1>"),
        ("a < / It-1 >\n</it foo>", "<it-2>\na < / It-1 >\n</it foo>\n</it-2>"),
        ("</item>\n", "<it>\n</item>\n\n</it>"),
        ("007", "it: 007"),
        (
            ["<it[1]>", LONG, "< IT[1]-1 >"],
            f'it: ["<it[1]>", "<it[1]-2>", "< IT[1]-1 >"]\n<it[1]-2>\n{LONG}\n</it[1]-2>',
        ),
        (["ä", 1, {"b": None, "a": []}], 'it: ["ä", 1, {"a": [], "b": null}]'),
        (["one\ntwo"], 'it: ["one\\ntwo"]'),
        ([LONG, "b"], f'it: ["<it[0]>", "b"]\n<it[0]>\n{LONG}\n</it[0]>'),
        ({"main.py": "a\nb", "n": 1}, 'it: {"n": 1}\n<it["main.py"]>\na\nb\n</it["main.py"]>'),
        (
            Mail(body="one\ntwo </it.body>"),
            'it: {"answers": [], "parts": [], "sender": "ada"}\n<it.body-1>\none\ntwo </it.body>\n</it.body-1>',
        ),
        (
            Mail(answers=[Mail(body=LONG)]),
            'it: {"answers": [{"answers": [], "parts": [], "sender": "ada"}], "body": "", "parts": [], "sender": "ada"}'
            f"\n<it.answers[0].body>\n{LONG}\n</it.answers[0].body>",
        ),
    ],
    ids=lambda part: repr(part)[:40],
)
def test_a_value_stands_as_it_is_read_best(value: Any, text: str) -> None:
    assert shown({"it": value}) == text
    assert canonical(back(asked({"it": value}))["it"]) == canonical(value)


def test_values_stand_in_the_order_of_the_signature() -> None:
    assert shown({"b": 1, "a": "x"}) == "b: 1\na: x"


def test_what_is_ours_are_sentences_that_no_value_looks_like() -> None:
    request = asked({"agent": "me", "schema": 1, "values": 2}, repair='no "value"', named=True)
    assert request.content[-1].text == (
        "Answer as the agent reader.\n"
        'The answer before this one could not be used: "no \\"value\\""\nagent: me\nschema: 1\nvalues: 2'
    )
    assert back(request) == {"agent": "me", "schema": 1, "values": 2}
