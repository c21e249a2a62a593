"""The command `temporal-parley`; the `temporal` command line runs it as `temporal parley`."""
