"""How requests travel: live calls, batches, the prefix gate, slots, budget, channel choice."""
