"""Measurement of the stages, speed, memory and work of models on a video."""
