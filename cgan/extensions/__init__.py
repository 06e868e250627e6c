"""What the papers do not have: a judge of digits, and a penalty that keeps a game with few pictures going."""
