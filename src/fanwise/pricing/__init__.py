"""Usage, rates and cost: exact integers, pure."""
