"""The siege: clients that mean harm, and what ordinary requests feel of them."""
