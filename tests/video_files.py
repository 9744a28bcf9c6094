"""Video files read again, without the package."""

import cv2


def read_video(path):
    """All (H, W, 3) BGR frames, and the frames a second."""
    capture = cv2.VideoCapture(str(path))
    assert capture.isOpened(), path
    frames = []
    there, frame = capture.read()
    while there:
        frames.append(frame)
        there, frame = capture.read()
    fps = capture.get(cv2.CAP_PROP_FPS)
    capture.release()
    return frames, fps
