"""``python -m simulator``: the same as ``crypto-lake simulate``."""

from simulator.cli import main

if __name__ == "__main__":
    main()
