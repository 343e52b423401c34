"""Many C files as one program: which files, with which flags, in which process, and what came out of each."""
