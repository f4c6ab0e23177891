"""What a run shows: its log, figures, tables, the HTML report, and the comparison with the published numbers."""
