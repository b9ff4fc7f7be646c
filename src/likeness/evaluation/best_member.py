"""The best member of an ensemble alone, so that the ensemble's gain over it can be reported."""

from __future__ import annotations

import itertools

import numpy as np

from likeness.data.splits import Pairs
from likeness.evaluation.systems import ScoredSystem, System, cosine, score_system
from likeness.metrics.roc import auc
from likeness.models.architecture import ModelParams
from likeness.models.backbones.ensemble import EnsembleParams


def best_member(ensemble: System, model: ModelParams, holdout: Pairs, test: Pairs) -> ScoredSystem | None:
    """The member with the largest area under the ROC of the held-out pairs; test pairs choose nothing.

    An ensemble's embedding is its members', one behind the other, so that no picture is embedded again. Averaged
    with the mirrored face's, a part is no longer of length one, which the cosine does not see.

    Args:
        ensemble: as it is measured.
        model: what it is made of.
        holdout: pairs that choose, and that the member's threshold is fitted on.
        test: pairs that it is measured on.

    Returns:
        Its scores, under the name `member-…` counted from 1; None where the network is no ensemble of towers.
    """
    if not isinstance(model.backbone, EnsembleParams) or model.projection_dim:
        return None
    ends = np.cumsum([0, *(member.output_dim for member in model.backbone.members)])
    members = [
        score_system(
            System(f"member-{number}", ensemble.rows, ensemble.vectors[:, start:end], cosine), holdout, test
        )
        for number, (start, end) in enumerate(itertools.pairwise(ends), start=1)
    ]
    return max(members, key=lambda member: auc(member.holdout, holdout.same))
