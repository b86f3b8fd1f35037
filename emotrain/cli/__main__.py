"""`python -m emotrain.cli`: the same command, for `accelerate launch -m` and `srun`."""

from emotrain.cli import main

if __name__ == "__main__":
    main()
