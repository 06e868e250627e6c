"""The fast STFT, and what later papers add: Griffin-Lim with momentum, the phase vocoder, the Kaiser window."""
