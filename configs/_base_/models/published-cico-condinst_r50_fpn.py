_base_ = './published-cico-yolact_r50_fpn.py'

model = dict(
    mask_head=dict(
        generator=dict(
            _delete_=True,
            type='mmcico.DynamicMask',
            num_protos=8,
            channels=8,
            coordinates=dict(type='mmcico.GaussianPlane'),
        ),
        crop_scale=1.5,
    )
)
