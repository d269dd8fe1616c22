"""When it is said: waits for one job and fan-out over many. Takes callables; knows nothing of HTTP."""
