# Written from the sources of `Analytics` by tests/python/test_async.py, with TRAVELSENSE_GOLDEN=write.
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Literal, Self, Unpack

from travelsense._analytics import Analytics
from travelsense._asking import Watch
from travelsense._question import (
    Bucket,
    ClockStart,
    ClockUnit,
    CohortMetric,
    CohortPeriod,
    Criterion,
    Date,
    EngagementMetric,
    Event,
    ExportMetric,
    ExportType,
    Feature,
    Filter,
    Format,
    FunnelDetails,
    FunnelOptions,
    InsightType,
    JourneyPart,
    Length,
    Maturity,
    Metric,
    Mode,
    Order,
    Outcome,
    Period,
    Pooling,
    Prediction,
    Preset,
    Property,
    Segment,
    Status,
    TimeRange,
    Unit,
    Weekday,
)
from travelsense._report import ImportReport, IngestReport
from travelsense._result import Backtest, Result
from travelsense._source import PlatformTable, Rows, Table, TimeUnit

class AsyncAnalytics:
    def __init__(self, make: Callable[[], Analytics], threads: ThreadPoolExecutor | None = None) -> None: ...
    async def acting(self, id: str, role: str) -> AsyncAnalytics: ...
    async def close(self) -> None: ...
    async def add_actuals(
        self,
        name: str,
        y: Sequence[float | bool],
        *,
        unique_id: Sequence[str | int] | None = None,
        ds: Sequence[Date | int] | None = None,
    ) -> int: ...
    async def add_predictions(
        self,
        name: str,
        mean: Sequence[float],
        *,
        model: str,
        measure: Literal["number", "probability"] | None = None,
        unique_id: Sequence[str | int] | None = None,
        ds: Sequence[Date | int] | None = None,
        lower: Sequence[float] | None = None,
        upper: Sequence[float] | None = None,
        level: float | None = None,
    ) -> str: ...
    async def adoption(
        self,
        features: Sequence[Feature] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        within: Length | None = None,
        min_uses: int | None = None,
        filters: Sequence[Filter] | None = None,
        period: Period | None = None,
        week_start: Weekday | None = None,
        frequencies: Sequence[int] | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def alert(self, id: str) -> dict[str, Any]: ...
    async def alert_history(
        self, id: str, *, limit: int | None = None, offset: int | None = None
    ) -> list[dict[str, Any]]: ...
    async def alert_news(
        self, *, since: str | datetime, limit: int | None = None, offset: int | None = None
    ) -> list[dict[str, Any]]: ...
    async def alerts(
        self, *, search: str | None = None, limit: int | None = None, offset: int | None = None
    ) -> dict[str, Any]: ...
    async def anomalies(
        self,
        metric: Metric,
        *,
        start_date: Date,
        end_date: Date,
        timezone: str | None = None,
        step: Bucket | None = None,
        alarms_per_week: float | None = None,
        min_change: float | None = None,
        min_volume: float | None = None,
        lateness: Length | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def audit(
        self,
        *,
        who: str | None = None,
        action: str | None = None,
        object: str | None = None,
        outcome: Outcome | None = None,
        from_: str | datetime | None = None,
        to: str | datetime | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> dict[str, Any]: ...
    async def audit_anchor(self) -> dict[str, Any]: ...
    async def backtest(
        self,
        prediction_type: Prediction,
        *,
        start_date: Date,
        end_date: Date,
        horizon: int | None = None,
        origins: int | None = None,
        step: int | None = None,
        segment: Segment | None = None,
        segments: Sequence[Segment] | None = None,
        feature: str | None = None,
        country: str | None = None,
        timezone: str | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Backtest: ...
    async def cancel_export(self, id: str) -> dict[str, Any]: ...
    async def catalogue(self) -> dict[str, Any]: ...
    async def churn(
        self,
        *,
        horizon_days: int | None = None,
        activity: Event = None,
        active_within_days: int | None = None,
        attributes: Sequence[Property] | None = None,
        segment: Segment | None = None,
        users: Sequence[str] | None = None,
        next_actions: int | None = None,
        confidence_level: float | None = None,
        limit: int | None = None,
        offset: int | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def cohorts(self) -> list[dict[str, Any]]: ...
    async def compare(
        self,
        steps: Sequence[Event] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        between: Sequence[Segment | Mapping[str, str]] | None = None,
        breakdown: str | Sequence[Any] | Mapping[str, Any] | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
        **funnel: Unpack[FunnelOptions],
    ) -> Result: ...
    async def create_alert(self, rule: Mapping[str, Any]) -> dict[str, Any]: ...
    async def create_cohort(self, name: str, definition: Mapping[str, Any]) -> None: ...
    async def create_dashboard(
        self,
        name: str,
        widgets: Sequence[Mapping[str, Any]],
        *,
        description: str | None = None,
        is_public: bool | None = None,
        idempotency_key: str | None = None,
    ) -> dict[str, Any]: ...
    async def create_dashboard_from(
        self, template: str, *, name: str | None = None, description: str | None = None, is_public: bool | None = None
    ) -> dict[str, Any]: ...
    async def dashboard(self, id: str) -> dict[str, Any]: ...
    async def dashboard_data(
        self,
        id: str,
        *,
        start_date: Date | None = None,
        end_date: Date | None = None,
        timezone: str | None = None,
        filters: Sequence[Mapping[str, Any]] | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> list[dict[str, Any]]: ...
    async def dashboard_sharing(self, id: str) -> dict[str, Any]: ...
    async def dashboard_templates(self) -> list[dict[str, Any]]: ...
    async def dashboards(
        self,
        *,
        search: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
        sort_by: Literal["createdAt", "name"] | None = None,
        sort_order: Literal["asc", "desc"] | None = None,
    ) -> dict[str, Any]: ...
    async def data_version(self) -> int: ...
    async def delete_alert(self, id: str, *, revision: int | None = None) -> None: ...
    async def delete_dashboard(self, id: str, *, revision: int | None = None) -> None: ...
    async def delete_feedback(self, name: str) -> int: ...
    async def delete_model(self, model: str) -> None: ...
    async def deliver_notifications(
        self, send: Callable[[dict[str, Any]], str | None], *, limit: int = 8
    ) -> dict[Literal["delivered", "failed", "given_up"], int]: ...
    async def deliveries(
        self, *, state: str | None = None, limit: int | None = None, offset: int | None = None
    ) -> dict[str, Any]: ...
    async def drop_off(
        self,
        steps: Sequence[Event] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        properties: Sequence[str | Mapping[str, Any]] | None = None,
        properties_at: Literal["entry", "step"] | None = None,
        within: Length | None = None,
        min_support: int | None = None,
        limit: int | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
        **funnel: Unpack[FunnelOptions],
    ) -> Result: ...
    async def engagement(
        self,
        *,
        start_date: Date,
        end_date: Date,
        metrics: Sequence[EngagementMetric] | None = None,
        event: Event = None,
        filters: Sequence[Filter] | None = None,
        period: Period | None = None,
        week_start: Weekday | None = None,
        min_events: int | None = None,
        session_timeout: Length | None = None,
        preset: Literal["exact", "posthog"] | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def erase(self, user_ids: Sequence[str], *, progress: bool = True) -> dict[str, Any]: ...
    async def evaluate_alerts(self) -> dict[str, Any]: ...
    async def explain_difference(
        self,
        a: Mapping[str, Any] | None = None,
        b: Mapping[str, Any] | None = None,
        *,
        question: Mapping[str, Any] | None = None,
        presets: tuple[Preset, Preset] | None = None,
        word: Literal["funnel", "retention"] = "funnel",
        cell: Mapping[str, Any] | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def export(
        self,
        export_type: ExportType,
        format: Format,
        *,
        start_date: Date,
        end_date: Date,
        timezone: str | None = None,
        dashboard_id: str | None = None,
        metrics: Sequence[ExportMetric] | None = None,
        filters: Sequence[Mapping[str, Any]] | None = None,
        own_ranges: bool | None = None,
        notify: Sequence[Mapping[str, Any]] | None = None,
        idempotency_key: str | None = None,
        progress: bool = True,
    ) -> dict[str, Any]: ...
    async def export_job(self, id: str) -> dict[str, Any]: ...
    async def exports(
        self, *, limit: int | None = None, offset: int | None = None, status: Status | None = None
    ) -> dict[str, Any]: ...
    async def feedback(
        self,
        name: str,
        *,
        unique_id: str | None = None,
        runs: int | None = None,
        rows: bool | None = None,
        as_of: Date | None = None,
    ) -> dict[str, Any]: ...
    async def feedback_logs(self) -> list[dict[str, Any]]: ...
    async def funnel(
        self,
        steps: Sequence[Event] | None = None,
        *,
        start_date: Date,
        end_date: Date,
        window: Length | None = None,
        timezone: str | None = None,
        segment: Segment | Mapping[str, str] | None = None,
        filters: Sequence[Filter] | None = None,
        order: Order | None = None,
        strict_increase: bool | None = None,
        anchor_first: bool | None = None,
        universe: Literal["all"] | Mapping[str, Sequence[str]] | None = None,
        window_calendar_days: int | None = None,
        range: Literal["entry", "all_steps"] | None = None,
        grace: Length | None = None,
        exclusions: Sequence[Event] | None = None,
        exclusion_mode: Literal["kill_chain", "remove_user"] | None = None,
        hold_constant: Property | Sequence[Property] | None = None,
        unit: Unit | None = None,
        totals: Literal["attempts", "every_entry"] | None = None,
        session_timeout: Length | None = None,
        entry: Literal["earliest", "latest"] | None = None,
        entries: Literal["every", "first"] | None = None,
        breakdown: Property | Sequence[Property] | None = None,
        trend: Period | None = None,
        week_start: Weekday | None = None,
        time_between: tuple[int, int] | None = None,
        timed: Literal["converters", "reached"] | None = None,
        histogram_bins: int | None = None,
        revenue: bool | None = None,
        sample: float | Mapping[str, Any] | None = None,
        preset: Preset | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def import_(
        self,
        source: Table,
        *,
        user: str | None = None,
        time: str | None = None,
        name: str | None = None,
        event: str | None = None,
        anonymous: str | None = None,
        session: str | None = None,
        id: str | None = None,
        received: str | None = None,
        sent: str | None = None,
        seq: str | None = None,
        properties: str | None = None,
        timezone: str | None = None,
        time_unit: TimeUnit | None = None,
        table: PlatformTable | None = None,
        strict: bool = False,
        progress: bool | Callable[[int, int | None, int, int | None], object] = True,
    ) -> ImportReport: ...
    async def ingest(
        self, events: Sequence[Mapping[str, Any]], *, source: str | None = None, idempotency_key: str | None = None
    ) -> IngestReport: ...
    async def ingest_status(self) -> dict[str, Any]: ...
    async def journey(
        self,
        *,
        start_date: Date,
        end_date: Date,
        start: Event = None,
        end: Event = None,
        occurrence: Literal["first", "last", "each"] | None = None,
        unit: Literal["users", "sessions"] | None = None,
        session_timeout: Length | None = None,
        filters: Sequence[Filter] | None = None,
        include: Sequence[Event] | None = None,
        exclude: Sequence[Event] | None = None,
        node_by: str | Mapping[str, Any] | None = None,
        rename: Sequence[str | Mapping[str, str]] | None = None,
        collapse: bool | None = None,
        collapsed_at: Literal["first", "last"] | None = None,
        max_steps: int | None = None,
        steps_from: Literal["first", "last"] | None = None,
        length: int | None = None,
        limit: int | None = None,
        nodes_per_step: int | None = None,
        around: Event = None,
        parts: Sequence[JourneyPart] | None = None,
        medians: bool | None = None,
        next_actions: int | None = None,
        preset: Literal["exact", "posthog"] | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def judge_realtime(self) -> None: ...
    async def model(self, model: str) -> dict[str, Any]: ...
    async def models(
        self, *, search: str | None = None, limit: int | None = None, offset: int | None = None
    ) -> dict[str, Any]: ...
    async def next_action(
        self,
        *,
        users: Sequence[str] | None = None,
        activity: Event = None,
        segment: Segment | None = None,
        order: int | None = None,
        top: int | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def notifications(
        self, *, unread: bool | None = None, limit: int | None = None, offset: int | None = None
    ) -> dict[str, Any]: ...
    async def now(self) -> str: ...
    async def people(
        self,
        word: str,
        question: Mapping[str, Any],
        cell: Mapping[str, Any],
        *,
        limit: int = 100,
        offset: int = 0,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> dict[str, Any]: ...
    async def permissions(self) -> list[str]: ...
    async def pickup(
        self,
        *,
        start_date: Date,
        end_date: Date,
        booking: Event = None,
        cancellation: Event = None,
        booking_id: str | None = None,
        service_date: str | None = None,
        length_of_stay: str | None = None,
        timezone: str | None = None,
        period: Period | None = None,
        week_start: Weekday | None = None,
        days_before: Sequence[int] | None = None,
        filters: Sequence[Filter] | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def predictive(
        self,
        prediction_type: Prediction,
        *,
        start_date: Date,
        end_date: Date,
        confidence_level: float | None = None,
        horizon: int | None = None,
        segment: Segment | None = None,
        segments: Sequence[Segment] | None = None,
        feature: str | None = None,
        country: str | None = None,
        feedback: str | None = None,
        timezone: str | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def profile(
        self,
        id: str,
        *,
        anonymous: bool = False,
        name: str | None = None,
        limit: int = 50,
        offset: int = 0,
        as_of: str | datetime | None = None,
    ) -> dict[str, Any]: ...
    async def quarantine(self, *, limit: int | None = None, offset: int | None = None) -> dict[str, Any]: ...
    async def query(
        self, word: str, question: Mapping[str, Any], *, timeout: Length | None = None, progress: Watch = True
    ) -> Any: ...
    async def read_notification(self, id: str) -> None: ...
    async def realtime(
        self,
        *,
        metrics: Sequence[Metric | str] | None = None,
        time_range: TimeRange | str | None = None,
        refresh_interval: int | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def rebuild(self, *, progress: Watch = True) -> None: ...
    async def refresh_realtime(self) -> None: ...
    async def register_model(
        self,
        name: str,
        file: str | os.PathLike[str] | bytes,
        *,
        description: str | None = None,
        format: Literal["onnx", "xgboost", "lightgbm"] | None = None,
        features: Sequence[str] | None = None,
        classes: Sequence[str] | None = None,
    ) -> dict[str, Any]: ...
    async def remove_cohort(self, name: str) -> None: ...
    async def replay_parked(self) -> dict[str, int]: ...
    async def replay_quarantine(self, ids: Sequence[str] | None = None) -> IngestReport: ...
    async def resume_exports(self) -> int: ...
    async def retention(
        self,
        cohort_period: CohortPeriod,
        *,
        start_date: Date,
        end_date: Date,
        start: Event = None,
        return_: Event = None,
        analysis_metric: CohortMetric = "retention_rate",
        property: Property | None = None,
        mode: Mode | None = None,
        unit: ClockUnit | None = None,
        clock_start: ClockStart | None = None,
        criterion: Criterion | None = None,
        brackets: Sequence[tuple[int, int]] | None = None,
        minimum_occurrences: int | None = None,
        maturity: Maturity | None = None,
        filters: Sequence[Filter] | None = None,
        hold_constant: Property | None = None,
        breakdown: Property | None = None,
        pooling: Pooling | None = None,
        week_start: Weekday | None = None,
        periods: int | None = None,
        timezone: str | None = None,
        segment: Segment | None = None,
        sample: float | Mapping[str, Any] | None = None,
        preset: Preset | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def retry_delivery(self, id: str) -> None: ...
    async def revoke(
        self,
        *,
        jti: str | None = None,
        subject: str | None = None,
        issued_before: str | datetime | None = None,
        until: str | datetime | None = None,
    ) -> None: ...
    async def save_export(self, id: str, path: str | os.PathLike[str], *, progress: bool = True) -> int: ...
    async def score(
        self,
        model: str,
        rows: Rows | None = None,
        *,
        users: Mapping[str, Any] | None = None,
        ids: Sequence[str | int] | None = None,
        ds: Date | None = None,
        feedback: str | None = None,
        timeout: Length | None = None,
    ) -> dict[str, Any]: ...
    async def set_catalogue(self, catalogue: Mapping[str, Any]) -> None: ...
    async def share_dashboard(self, id: str, sharing: Mapping[str, Any]) -> dict[str, Any]: ...
    async def silence_alert(self, id: str, silence: Mapping[str, Any]) -> dict[str, Any]: ...
    async def test_alert(self, id: str) -> dict[str, Any]: ...
    async def update_alert(
        self, id: str, changes: Mapping[str, Any], *, revision: int | None = None
    ) -> dict[str, Any]: ...
    async def update_dashboard(
        self, id: str, changes: Mapping[str, Any], *, revision: int | None = None
    ) -> dict[str, Any]: ...
    async def user_insights(
        self,
        *,
        start_date: Date,
        end_date: Date,
        insight_type: InsightType | None = None,
        limit: int | None = None,
        steps: Sequence[Event] | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
        **funnel: Unpack[FunnelDetails],
    ) -> Result: ...
    async def value(
        self,
        *,
        horizon_days: int | None = None,
        activity: Event = None,
        segment: Segment | None = None,
        users: Sequence[str] | None = None,
        limit: int | None = None,
        offset: int | None = None,
        as_of: str | datetime | None = None,
        timeout: Length | None = None,
        progress: Watch = True,
    ) -> Result: ...
    async def verify_audit(
        self, *, anchors: Sequence[Mapping[str, Any]] | None = None, progress: Watch = True
    ) -> dict[str, Any]: ...
    async def warm_up(self, *, progress: Watch = True) -> None: ...
    def __await__(self) -> Generator[Any, None, AsyncAnalytics]: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *raised: object) -> None: ...

def aopen(
    path: str | os.PathLike[str],
    *,
    read_only: bool = False,
    threads: int | None = None,
    memory_limit: int | None = None,
    timeout: Length | None = None,
    now: str | datetime | None = None,
) -> AsyncAnalytics: ...
