"""The ground: errors, paths, files, command line, signals, the door to TensorFlow; it imports no other folder."""
