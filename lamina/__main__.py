"""python -m lamina COMMAND: the same as `lamina COMMAND`."""

import sys

from lamina.commands.frame import main

sys.exit(main())
