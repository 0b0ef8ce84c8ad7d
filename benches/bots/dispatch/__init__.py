"""What bringing an update of a bot to its handler costs, beside other libraries."""
