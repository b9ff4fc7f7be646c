"""One evaluation: a model, the classical baseline and the untrained network on the same pairs.

An ensemble's best member, chosen on the holdout pairs, is measured beside them.

Thresholds and calibrations come from the model's card or from holdout pairs; the test pairs choose nothing.
Every picture that any pair or recognition test needs is embedded once.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch

from likeness.artifacts.evaluation_tables import CMC
from likeness.artifacts.manifest import image_names
from likeness.artifacts.metrics import METRICS, Metrics
from likeness.artifacts.source_card import SourceCard
from likeness.artifacts.split import LostPairs
from likeness.data.faceset import FaceSet
from likeness.data.problems import NOT_ACQUIRED
from likeness.data.splits import Pairs, Split
from likeness.evaluation import estimates
from likeness.evaluation.baselines import classical_baseline
from likeness.evaluation.best_and_worst import Showcase, showcase
from likeness.evaluation.best_member import best_member
from likeness.evaluation.causes import cause_table
from likeness.evaluation.comparison import Scored
from likeness.evaluation.curve_tables import calibration_table, det_table, roc_table
from likeness.evaluation.decisions import PairFacts
from likeness.evaluation.embedding_map import embedding_map
from likeness.evaluation.estimates import EvaluatedPairs, Json
from likeness.evaluation.identification import IdentificationSet, identification_set
from likeness.evaluation.layers import layer_table
from likeness.evaluation.params import EvaluateParams
from likeness.evaluation.poses import Poses, measure_poses
from likeness.evaluation.slices import slice_table, worse_pictures
from likeness.evaluation.systems import Rows, ScoredSystem, System, score_system
from likeness.metrics.calibration_error import Reliability
from likeness.metrics.intervals import CONFIDENCE, UNIT, Resampling, pair_groups
from likeness.models.architecture import ANGULAR
from likeness.models.card import Card
from likeness.models.embedding import embed_pixels, prepare, score_prepared
from likeness.models.network import build_siamese
from likeness.models.siamese import Siamese
from likeness.models.weights import LoadedModel

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class EvaluationResults:
    """Everything that an evaluation finds; `likeness.evaluation.results_folder` writes it.

    Attributes:
        metrics: figures with intervals.
        roc, det, calibration, slices, causes, embeddings, cmc, layers: see `likeness.artifacts.evaluation_tables`;
            cmc has no rows where nobody can be recognised.
        predictions: one row a holdout or test pair, see `PredictionRecord`.
        showcase: the best and worst decisions.
    """

    metrics: Metrics
    roc: pd.DataFrame
    det: pd.DataFrame
    predictions: pd.DataFrame
    calibration: pd.DataFrame
    slices: pd.DataFrame
    causes: pd.DataFrame
    embeddings: pd.DataFrame
    cmc: pd.DataFrame
    layers: pd.DataFrame
    showcase: Showcase


def evaluate_model(faces: FaceSet, split: Split, model: LoadedModel, params: EvaluateParams) -> EvaluationResults:
    """Measures a model on the holdout and test pairs of a split.

    Args:
        faces: the store that the split's rows point into.
        split: pairs; its training side is what the classical baseline learns from.
        model: computed on the device that it is on.
        params: section `evaluate`.

    Raises:
        DataError: a set of pairs lacks a class, or scores are not finite.
        ModelError: the store's pictures do not have the model's size.
    """
    subjects = identification_set(faces, split.test.rows, params.identification.probes)
    systems = _systems(faces, split, model, subjects, params)
    ours = systems["model"]
    holdout, test = (_evaluated_pairs(faces, pairs) for pairs in (split.holdout, split.test))
    recognised, cmc = _recognition([ours.system, systems["baseline"].system], subjects, params)
    _log.info("computing figures and their intervals from %d resamples", params.resamples)
    metrics = {
        "synthetic": faces.source.synthetic,
        "data": _data(faces.source),
        "protocol": {
            **_protocol(split, model.card),
            "pairs": {"holdout": _counts(holdout), "test": _counts(test)},
            "interval": _interval(params.resampling),
        },
        **{name: _verification(system, holdout, test, params) for name, system in systems.items()},
        "comparison": _comparison(systems, test, params),
        "calibration": _calibration(systems, test, params),
        "identification": recognised,
        "acquisition": _acquisition(faces, split, ours),
    }
    poses = measure_poses(faces, split.test.rows)
    probability = ours.decision.probability(ours.test)
    _log.info("computing DET curves")
    det = det_table(systems, test, params)
    baseline_correct = systems["baseline"].decision.predict(systems["baseline"].test) == split.test.same
    facts = PairFacts.of(faces, split.test, baseline_correct, poses)
    directions = model.card.model.comparator.name in ANGULAR
    _log.info("explaining the best and the worst decisions")
    shown = showcase(faces, split.test, model, ours, facts, params.decisions)
    return EvaluationResults(
        METRICS.parse(metrics, METRICS.name),
        roc=roc_table(systems, split.test),
        det=det,
        predictions=_predictions(faces, ours, split, poses),
        calibration=calibration_table(Reliability.of(probability, split.test.same, params.bins)),
        slices=_slices(faces, ours, test, poses, params),
        causes=cause_table(facts, ours.decision.predict(ours.test), split.test.same),
        embeddings=embedding_map(ours.system, faces.manifest, split.test.rows, directions=directions),
        cmc=cmc,
        layers=layer_table(model.siamese, model.card.preprocess.size),
        showcase=shown,
    )


def _systems(
    faces: FaceSet, split: Split, model: LoadedModel, subjects: IdentificationSet, params: EvaluateParams
) -> dict[str, ScoredSystem]:
    """The model, the baseline, an ensemble's best member and the untrained network, each with its decisions."""
    card = model.card
    device = next(model.siamese.parameters(), torch.empty(0)).device
    paired = np.union1d(split.holdout.rows, split.test.rows)
    everyone = np.union1d(paired, subjects.rows)
    _log.info("evaluating: %d pictures, %d test pairs", len(everyone), len(split.test))

    def network(name: str, siamese: Siamese, rows: Rows) -> System:
        vectors = embed_pixels(siamese, card.preprocess, faces.pixels, rows, device=device, mirror=card.mirror)
        rule = functools.partial(score_prepared, siamese)
        return System(name, rows, vectors, rule, prepared=prepare(siamese, vectors))

    pairs = (split.holdout, split.test)
    ours = score_system(network("model", model.siamese, everyone), *pairs, card.decision)
    _log.info("training the classical baseline")
    baseline = score_system(classical_baseline(faces, split, everyone, params.baseline), *pairs)
    systems = {"model": ours, "baseline": baseline}
    member = best_member(ours.system, card.model, *pairs)
    if member is not None:
        systems["best_member"] = member
    fresh = untrained(card)
    if fresh is not None:
        systems["untrained"] = score_system(network("untrained", fresh, paired), *pairs)
    return systems


def untrained(card: Card) -> Siamese | None:
    """The model's network as it was before its first step; None for a tower that was trained elsewhere."""
    blank = card.model.untrained()
    return None if blank is None else build_siamese(blank, card.preprocess.size, card.seed)


def _evaluated_pairs(faces: FaceSet, pairs: Pairs) -> EvaluatedPairs:
    people = faces.manifest["person"].to_numpy()
    return EvaluatedPairs(pairs, pair_groups(people[pairs.a], people[pairs.b]))


def _data(source: SourceCard) -> Json:
    return {"source": source.source, "alignment": source.alignment, "fingerprint": source.fingerprint}


def _acquisition(faces: FaceSet, split: Split, ours: ScoredSystem) -> Json | None:
    """Failures to acquire, and the error rates when each of them counts as a rejection."""
    if faces.source.align == "none":
        return None
    failures = int(faces.manifest["problem"].isin(NOT_ACQUIRED).sum())
    lost, same = split.card.not_acquired.get("test", LostPairs()), split.test.same
    accepted = ours.decision.predict(ours.test)
    rejected = int((~accepted & same).sum()) + lost.same
    return {
        "images": len(faces),
        "failures": failures,
        "rate": failures / len(faces),
        "mated": lost.same,
        "non_mated": lost.different,
        "false_rejection_rate": rejected / max(int(same.sum()) + lost.same, 1),
        "false_acceptance_rate": int((accepted & ~same).sum()) / max(int((~same).sum()) + lost.different, 1),
    }


def _protocol(split: Split, card: Card) -> Json:
    """By which rules the model was made and is measured."""
    return {
        "name": card.protocol,
        "view": split.card.view,
        "fold": split.card.fold,
        "outside_data": card.outside_data,
        "recipe": card.recipe,
        "seed": card.seed,
        "threshold_from": "holdout pairs",
    }


def _interval(resampling: Resampling) -> Json:
    """What the intervals of all figures mean."""
    method = {"confidence": CONFIDENCE, "method": "percentile bootstrap", "unit": UNIT}
    return {**method, "resamples": resampling.resamples, "seed": resampling.seed}


def _counts(measured: EvaluatedPairs) -> Json:
    same = measured.pairs.same
    return {
        "all": len(same),
        "same": int(same.sum()),
        "different": int((~same).sum()),
        "person_pairs": len(np.unique(measured.groups)),
    }


def _verification(
    scored: ScoredSystem, holdout: EvaluatedPairs, test: EvaluatedPairs, params: EvaluateParams
) -> Json:
    decision, resampling = scored.decision, params.resampling
    return {
        "name": scored.system.name,
        "threshold": decision.threshold,
        "holdout": estimates.verification(scored.holdout, decision, holdout, params.fmr, resampling),
        "test": estimates.verification(scored.test, decision, test, params.fmr, resampling),
        "operating_points": estimates.operating_points(scored.test, decision, test, resampling),
    }


def _comparison(systems: dict[str, ScoredSystem], test: EvaluatedPairs, params: EvaluateParams) -> Json:
    ours = systems["model"]
    return {
        f"model_minus_{name}": estimates.comparison(ours, other, test, params.fmr, params.resampling)
        for name, other in systems.items()
        if other is not ours
    }


def _calibration(systems: dict[str, ScoredSystem], measured: EvaluatedPairs, params: EvaluateParams) -> Json:
    result: dict[str, Any] = {"bins": params.bins, "rule": "equal mass"}
    for name, system in systems.items():
        probability = system.decision.probability(system.test)
        result[name] = estimates.calibration(probability, measured, params.bins, params.resampling)
    return result


def _recognition(
    systems: list[System], subjects: IdentificationSet, params: EvaluateParams
) -> tuple[Json, pd.DataFrame]:
    empty = pd.DataFrame(columns=list(CMC.columns))
    wanted = params.identification
    if len(subjects.people) < 2:
        return {"reason": "fewer than two test people have two photographs"}, empty
    result: Json = {
        "known_people": len(subjects.people),
        "unknown_people": len(subjects.unknown),
        "probes": sum(len(rows) - 1 for rows in subjects.people),
        "ways": min(wanted.ways, len(subjects.people) + len(subjects.unknown)),
        "trials": wanted.trials,
        "unit": "person",
    }
    curves = []
    for system in systems:
        result[system.name], curve = estimates.identification(system, subjects, wanted, params.resampling)
        curves.append(curve)
    return result, pd.concat(curves, ignore_index=True)


def _slices(
    faces: FaceSet, ours: ScoredSystem, test: EvaluatedPairs, poses: Poses, params: EvaluateParams
) -> pd.DataFrame:
    scored = Scored(ours.test, ours.decision.threshold)
    worse = worse_pictures(faces.manifest, test.pairs) | {"yaw": poses.of_pairs(test.pairs)["yaw"]}
    return slice_table(scored, test.pairs, test.groups, worse, params.resampling)


def _predictions(faces: FaceSet, ours: ScoredSystem, split: Split, poses: Poses) -> pd.DataFrame:
    tables = []
    yaw = {"test": poses.of_pairs(split.test)["yaw"]}
    for name, pairs, scores in (("holdout", split.holdout, ours.holdout), ("test", split.test, ours.test)):
        predicted = ours.decision.predict(scores)
        columns = {
            "split": name,
            "first": image_names(faces.manifest.iloc[pairs.a]).to_numpy(),
            "second": image_names(faces.manifest.iloc[pairs.b]).to_numpy(),
            "same": pairs.same,
            "score": scores,
            "probability": ours.decision.probability(scores),
            "predicted": predicted,
            "correct": predicted == pairs.same,
            **worse_pictures(faces.manifest, pairs),
            "yaw": yaw.get(name, np.full(len(pairs), np.nan)),
        }
        tables.append(pd.DataFrame(columns))
    return pd.concat(tables, ignore_index=True)
