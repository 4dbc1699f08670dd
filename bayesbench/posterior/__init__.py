"""What a fit leaves: draws with all that is needed to use them, file, diagnostics, calibration."""
