#!/usr/bin/env python3
"""`python run_all.py`: the whole report, or one section of it; the command itself is tf1_autoencoders/run_all.py."""
if __name__ == "__main__":
    import signal
    import sys
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the command handles it: Ctrl-C shows no traceback
    from tf1_autoencoders.run_all import main
    sys.exit(main())
