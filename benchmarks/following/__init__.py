"""Whether trained networks follow their reports: tasks, variants, runs, scores and the page with the results."""
