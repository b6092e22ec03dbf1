"""The caller: session, token, origin, and the page that asks. Checked here and nowhere else."""
