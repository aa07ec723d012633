"""Rules: rooms without a door. Pure functions; what they need is in their arguments."""
