"""An account that is computed again from the journal, the bill and a price list; nothing of fanwise is imported."""
