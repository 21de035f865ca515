"""`python -m elmokit` is the same as `elmo`."""

from elmokit.cli.app import main

if __name__ == "__main__":
    main()
