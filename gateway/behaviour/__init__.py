"""What accounts and groups do, and what follows from it. Pure: no clock and no waiting."""
