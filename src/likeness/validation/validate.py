"""Runs the suites over the tables of a face set and writes down what was found."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import great_expectations as gx
import numpy as np
import pandas as pd
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from likeness.artifacts.validation_record import VALIDATION, Finding, Row, ValidationRecord, ValidationSummary
from likeness.data.faceset import FaceSet, problem_counts
from likeness.data.problems import NOT_ACQUIRED
from likeness.files import write_text
from likeness.validation.data_docs import page
from likeness.validation.expectation_builders import Suite
from likeness.validation.expectations import suites
from likeness.validation.findings import failed, refuse_critical
from likeness.validation.image_tables import images_table, left_aside_table, people_table
from likeness.validation.list_tables import list_tables
from likeness.validation.params import ValidationParams

PAGE = Path("docs") / "index.html"
DATA_SOURCE = "faces"
DIGITS = 6  # of a float in the reports


def validate(faces: FaceSet, params: ValidationParams, folder: Path) -> list[Finding]:
    """Holds a face set to all expectations and writes `validation.json` and the Data Docs.

    Args:
        faces: what the ingest stage made.
        params: the bounds.
        folder: where to write.

    Returns:
        The findings; some may be warnings that do not hold.

    Raises:
        ValidationFailedError: a critical expectation does not hold; both reports are written all the same.
        OutputError: the folder cannot be written.
    """
    findings = check(faces, params)
    figures = facts(faces)
    record = ValidationRecord(
        success=not failed(findings, "critical"),
        source=faces.source,
        summary=ValidationSummary.of(findings),
        expectations=tuple(finding.shortened() for finding in findings),
        facts=figures,
        params=dataclasses.asdict(params),
    )
    VALIDATION.write(folder / VALIDATION.name, record)
    write_text(folder / PAGE, page(faces, findings, figures))
    refuse_critical(findings, str(folder / PAGE))
    return findings


def check(faces: FaceSet, params: ValidationParams) -> list[Finding]:
    """One finding per expectation about a table that the face set has, in the order of the suites."""
    tables = {
        "images": images_table(faces, params),
        "people": people_table(faces),
        "left aside": left_aside_table(faces, params),
        **list_tables(faces),
    }
    wanted = suites(faces.source, params)
    context = _quiet_context()
    context.data_sources.add_pandas(DATA_SOURCE)
    return [
        finding
        for name, table in tables.items()
        for finding in _findings(name, table, wanted[name], _run(context, name, wanted[name], table))
    ]


def facts(faces: FaceSet) -> dict[str, Any]:
    """Counts, and least, middle and greatest value of what describes an image or a person."""
    manifest = faces.manifest
    usable = manifest[faces.usable]
    images = manifest["person"].value_counts()
    columns = {name: usable[name] for name in ("brightness", "contrast", "sharpness")}
    return {
        "images": len(manifest),
        "people": len(images),
        "people_with_one_image": int((images == 1).sum()),
        "problems": problem_counts(manifest),
        "failure_to_acquire": float(manifest["problem"].isin(NOT_ACQUIRED).mean()) if len(manifest) else 0.0,
        "bytes": int(manifest["bytes"].sum()),
        "modes": {str(mode): int(count) for mode, count in usable["mode"].value_counts().sort_index().items()},
        "spread": {
            name: [_plain(values.quantile(share)) for share in (0, 0.5, 1)]
            for name, values in {"images_per_person": images, **columns}.items()
            if len(values)
        },
    }


def _quiet_context() -> Any:
    """A context in memory, which writes nothing, reports nothing home, draws no progress bars and is silent."""
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    in_memory = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)  # else it leaves a folder in /tmp
    context = gx.get_context(project_config=DataContextConfig(store_backend_defaults=in_memory))
    context.enable_analytics(False)
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context


def _run(context: Any, name: str, suite: Suite, table: pd.DataFrame) -> Any:
    asset = context.data_sources.get(DATA_SOURCE).add_dataframe_asset(name)
    validation = gx.ValidationDefinition(
        name=name,
        data=asset.add_batch_definition_whole_dataframe(name),
        suite=context.suites.add(gx.ExpectationSuite(name, expectations=suite)),
    )
    return context.validation_definitions.add(validation).run(
        batch_parameters={"dataframe": table},
        result_format={"result_format": "COMPLETE", "return_unexpected_index_query": False},
    )


def _findings(name: str, table: pd.DataFrame, suite: Suite, outcome: Any) -> list[Finding]:
    """The results in the order of the suite, which Great Expectations does not keep."""
    results = {result.expectation_config.meta["name"]: result for result in outcome.results}
    return [_finding(name, table, results[expectation.meta["name"]]) for expectation in suite]


def _finding(name: str, table: pd.DataFrame, result: Any) -> Finding:
    config, found = result.expectation_config, result.result
    if result.exception_info.get("raised_exception") is not False:
        raise RuntimeError(f"{config.meta['name']}: {result.exception_info}")  # our fault, not the data's
    return Finding(
        name=config.meta["name"],
        table=name,
        severity=config.severity.value,
        success=bool(result.success),
        expected=config.description,
        observed=_observed(found),
        offenders=_offenders(table, config.meta["show"], found.get("unexpected_index_list") or []),
    )


def _observed(found: Mapping[str, Any]) -> str:
    if "unexpected_count" in found:
        return f"{found['unexpected_count']:,} of {found['element_count']:,}"
    if "partial_missing_list" in found:  # what the column lacks of a wanted set
        lacking = sorted(found["partial_missing_list"])  # in an order of its own otherwise
        return f"lacks {', '.join(lacking)}" if lacking else "all there"
    value = _plain(found["observed_value"])  # None where there was nothing to measure
    return "nothing" if value is None else f"{value:.4g}" if isinstance(value, float) else f"{value:,}"


def _offenders(table: pd.DataFrame, show: Sequence[str], rows: Sequence[int]) -> tuple[Row, ...]:
    records = table.loc[sorted(rows), list(show)].to_dict("records") if show else []
    return tuple({str(name): _plain(value) for name, value in record.items()} for record in records)


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value
