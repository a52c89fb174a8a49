"""Attacks. One file each: what it tries, what must follow, and proof that it bites where the rule is missing."""
