"""Train a net from a configuration: python train.py --config configs/mnist_relu.yaml"""

import sys

from lamina.commands.frame import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]], "train.py"))
