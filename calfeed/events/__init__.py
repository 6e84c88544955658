"""What happens: the event list as values. Pure: no file, clock, network, environment, logger or framework."""
