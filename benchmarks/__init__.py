"""What an error layer costs, as ratios to the bare framework, side by side in one run."""
