# A small CiCo-CondInst, the rest as in the small CiCo-Yolact. From scratch, at
# a high learning rate, eight prototypes behind a ReLU die: it is left out.
_base_ = './cico-yolact_demo.py'

model = dict(
    mask_head=dict(
        proto_act_cfg=None,
        generator=dict(
            _delete_=True,
            type='mmcico.DynamicMask',
            num_protos=8,
            channels=8,
            coordinates=dict(type='mmcico.OffsetPlanes'),
        ),
        crop_scale=1.5,
    )
)
