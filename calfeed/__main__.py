"""``python -m calfeed``."""

from calfeed.cli import main

if __name__ == "__main__":
    main()
