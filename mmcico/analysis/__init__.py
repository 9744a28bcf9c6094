"""What annotation files hold: checks, numbers, parts, coherence.

Needs numpy and pycocotools only, no OpenMMLab package and no model.
"""
