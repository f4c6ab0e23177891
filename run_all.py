#!/usr/bin/env python3
"""`python run_all.py`: the whole report, or one section of it; the command itself is tf1_autoencoders/run_all.py."""
import sys

from tf1_autoencoders.run_all import main

if __name__ == "__main__":
    sys.exit(main())
