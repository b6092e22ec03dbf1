"""Who is calling: session, token, origin, and the page that asks. Checked here and nowhere else."""
