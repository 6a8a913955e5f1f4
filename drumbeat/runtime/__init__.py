"""What runs inside Lambda: dispatcher, worker, keeper."""
