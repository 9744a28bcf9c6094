# Links clips by evidence, see docs/en/linking.md.
# For any model: add this file to its _base_, and
#     model = dict(tracker=dict(_delete_=True, **{{_base_.tracker}}))
# or write the one line
#     model = dict(tracker=dict(_delete_=True, type='mmcico.EvidenceTracker'))
tracker = dict(type='mmcico.EvidenceTracker')
