"""An agent that looks things up before it answers: Python functions as tools, sync and async."""

from __future__ import annotations

from pydantic import BaseModel

from fanwise import agent, graph, tool

ORDERS = {"o1": "shipped", "o2": "lost", "o3": "paid"}


class Order(BaseModel):
    id: str
    state: str


class Ticket(BaseModel):
    id: str
    order: str
    depth: int
    """How many look-ups it takes."""


@tool
def look_up(order: str) -> Order:
    """Look up an order.

    Args:
        order: Its number.
    """
    if order not in ORDERS:
        raise LookupError(f"there is no order {order}")
    return Order(id=order, state=ORDERS[order])


@tool
async def next_order(after: str, steps: int = 1) -> str:
    """Return the number of the order behind another one."""
    return f"o{int(after.removeprefix('o')) % 3 + steps}"


@agent(model="claude-haiku-5-5", max_tokens=100, tools=[look_up, next_order], max_turns=6)
async def answer(order: str, depth: int) -> str:
    """Find out what has become of the order, and of as many behind it as are asked for."""
    states: list[str] = []
    for index in range(depth):
        states.append(look_up(order).state)
        if index < depth - 1:
            order = await next_order(order)
    return ", ".join(states) or "nothing was asked"


@graph
def desk(ticket: Ticket) -> str:
    return answer(ticket.order, ticket.depth)
