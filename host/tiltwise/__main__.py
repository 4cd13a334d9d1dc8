"""`python -m tiltwise`: the commands where the script `tiltwise` is not on the path."""

from tiltwise.app.cli import main

if __name__ == "__main__":
    main()
