"""What a running engine says of itself: its page of metrics, and what each metric on it means."""
