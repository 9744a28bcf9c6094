# Reading as the published models do: floats, 384 x 640, frames near the query
published_train_pipeline = [
    dict(type='mmcico.ClipFrameSample', method='neighbours'),
    dict(
        type='TransformBroadcaster',
        share_random_params=True,
        transforms=[
            dict(type='mmcico.LoadClipFrame', to_float32=True),
            dict(type='mmcico.LoadClipAnnotations'),
            dict(type='mmcico.LandscapeResize', scale=(640, 384)),
            dict(type='RandomFlip', prob=0.5),
        ],
    ),
    dict(type='mmcico.PackClipInputs'),
]
published_test_pipeline = [
    dict(type='mmcico.ClipFrameSample'),
    dict(
        type='TransformBroadcaster',
        transforms=[
            dict(type='mmcico.LoadClipFrame', to_float32=True),
            dict(type='mmcico.LandscapeResize', scale=(640, 384)),
        ],
    ),
    dict(type='mmcico.PackClipInputs'),
]
