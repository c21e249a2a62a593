"""What happened to the runs of a namespace: read from visibility and histories, counted, shown."""
