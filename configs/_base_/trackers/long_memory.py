# Gives objects their ids back after a long absence, see docs/en/linking.md.
# For any model with a ClipTracker: add this file to its _base_, and
#     model = dict(tracker={{_base_.tracker}})
tracker = dict(
    type='mmcico.ClipTracker',
    embed_weight=3.0,
    mask_weight=1.0,
    box_weight=1.0,
    score_weight=0.1,
    label_weight=0.3,
    match_thr=2.7,
    matching=dict(type='mmcico.GreedyMatching'),
    memory=30,
    momentum=0.5,
    recall=dict(type='mmcico.EmbeddingRecall', min_similarity=0.5, label_weight=0.1),
    drop_runner_ups=True,
)
