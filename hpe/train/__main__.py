"""`python -m hpe.train CONFIG`: what `hpe train` runs."""

import sys
from pathlib import Path

from hpe.train.config import read_config
from hpe.train.loop import Trainer

config = read_config(Path(sys.argv[1]))
Trainer(config, Path("runs") / config.name).run()
