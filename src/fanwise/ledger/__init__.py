"""The account, as queries over the journal."""
