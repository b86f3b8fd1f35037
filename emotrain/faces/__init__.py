"""Where the face is: detector, tracks, choice of the person, alignment, and the stage `faces`."""
