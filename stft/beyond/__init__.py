"""What goes beyond the core: more windows, sound without phase, time stretching, streams, files, commands."""
