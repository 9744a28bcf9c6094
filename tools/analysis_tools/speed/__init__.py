"""Measurement of models on a video: stages, speed, memory and work."""
