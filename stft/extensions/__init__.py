"""What later papers add: Griffin-Lim with momentum, the phase vocoder, the Kaiser window, sound in pieces."""
