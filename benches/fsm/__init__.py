"""The same machines with ours and with other libraries."""
