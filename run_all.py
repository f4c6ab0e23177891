#!/usr/bin/env python3
"""`python run_all.py`: the whole report, or one section of it; the command itself is tf1_autoencoders/run_all.py."""
import _signal

_signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # Ctrl-C during the imports shows no traceback

import sys  # noqa: E402

from tf1_autoencoders.run_all import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
