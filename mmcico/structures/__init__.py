"""Values and geometry of clips: boxes, masks, axes."""
