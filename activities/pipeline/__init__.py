"""The development pipeline's activities: real git, real commands, real deployments."""
