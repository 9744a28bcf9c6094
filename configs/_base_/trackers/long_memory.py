# A tracker that gives objects their ids back after long absence, for any of
# our models: put this file last into their _base_. See docs/en/linking.md
model = dict(
    tracker=dict(
        _delete_=True,
        type='mmcico.ClipTracker',
        embed_weight=2.0,
        mask_weight=1.0,
        box_weight=1.0,
        score_weight=0.1,
        label_weight=0.3,
        match_thr=1.9,
        matching=dict(type='mmcico.GreedyMatching'),
        memory=30,
        momentum=0.5,
        recall=dict(
            type='mmcico.EmbeddingRecall',
            min_similarity=0.4,
            label_weight=0.2),
        drop_seconds=True))
