"""How it runs: Prefect's server with its worker, child processes, and the demo. What the lake does is elsewhere."""
