"""Several processes or machines that train one network: cluster, launcher, collectives, coordination."""
