"""What makes LFW look easier than it is."""
