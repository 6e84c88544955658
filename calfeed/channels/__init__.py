"""The way out: a channel makes a request value and judges an answer value; one transport sends."""
