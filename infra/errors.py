class SetupError(Exception):
    """Something that the person who started the program can mend: one line, shown without a traceback."""
