"""What a run shows: log, figures, tables, the HTML report, and the comparison with the published numbers."""
