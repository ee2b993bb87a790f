"""``python -m blipper``: the same as the command ``blipper``."""

from blipper.cli import main

if __name__ == "__main__":
    main()
