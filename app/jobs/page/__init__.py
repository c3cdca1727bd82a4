"""A job's report as a page that stands alone: no request, no script, plots inside it."""
