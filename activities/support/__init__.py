"""The business side of the customer support example: the shop's books, and what tells requests apart."""
