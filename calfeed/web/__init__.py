"""Flask, and the small callable in front of it."""
