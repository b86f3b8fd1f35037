"""Systems that a VLM has to beat, on the same clips, folds and manifest: `emotrain baseline NAME RECIPE --out E`."""
