"""`python -m hpe.train --config FILE`: `hpe train` where the command is not installed."""

from hpe.train.commands import train

if __name__ == "__main__":
    train(prog_name="python -m hpe.train")
