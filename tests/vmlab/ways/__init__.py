"""Ways in which a copy, its evidence or its surroundings are false while looking true."""
