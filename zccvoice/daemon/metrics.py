"""Counters of the daemon, in Prometheus' form at ``/metrics``. One value per daemon, nothing global."""

from __future__ import annotations

import os
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from zccvoice.daemon.outcome import Counts
from zccvoice.rtms.webhook import AccountNotice, AccountNoticeKind

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300)


class Metrics:
    """All of them. Names follow Prometheus' conventions; the unit is in the name."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.webhooks = Counter(
            "zccvoice_webhooks", "Webhook requests by outcome", ["outcome"], registry=registry
        )
        self.account_notices = Counter(
            "zccvoice_account_notices",
            "What Zoom told of the account: streams refused, or soon to be",
            ["event"],
            registry=registry,
        )
        for kind in AccountNoticeKind:
            self.account_notices.labels(kind.value)
        self.account_streams = Gauge(
            "zccvoice_account_streams", "Streams of the Zoom account, when it last told", registry=registry
        )
        self.account_streams_limit = Gauge(
            "zccvoice_account_streams_limit",
            "Most streams of the Zoom account, when it last told",
            registry=registry,
        )
        self.calls = Counter(
            "zccvoice_streams_ended", "Streams by how they ended", ["reason"], registry=registry
        )
        self.active_streams = Gauge(
            "zccvoice_active_streams", "Streams that are being received", registry=registry
        )
        self.audio_packets = Counter("zccvoice_audio_packets", "Audio packets received", registry=registry)
        self.audio_seconds = Counter(
            "zccvoice_audio_seconds", "Seconds of audio received, all tracks", registry=registry
        )
        self.journal_bytes = Counter("zccvoice_journal_bytes", "Bytes written to journals", registry=registry)
        self.journals_full = Gauge(
            "zccvoice_journals_full",
            "Streams whose audio is lost because the disk is full",
            registry=registry,
        )
        self.dropped_packets = Counter(
            "zccvoice_dropped_packets", "Audio packets lost because the disk was full", registry=registry
        )
        self.outbox = Gauge(
            "zccvoice_outbox_journals",
            "Journals with facts that the database does not have yet",
            registry=registry,
        )
        self.rule_posts = Counter(
            "zccvoice_rule_posts", "Posts of rule hits by outcome", ["outcome"], registry=registry
        )
        self.rejected_messages = Counter(
            "zccvoice_rejected_messages",
            "Messages from Zoom that could not be used, by connection",
            ["connection"],
            registry=registry,
        )
        self.passed_over = Counter(
            "zccvoice_media_passed_over",
            "Connections on which Zoom sent media that nobody asked for, by kind",
            ["kind"],
            registry=registry,
        )
        self.rejected_payloads = Counter(
            "zccvoice_rejected_payloads", "Audio payloads that could not be decoded", registry=registry
        )
        self.utterances = Counter(
            "zccvoice_utterances", "Utterances by what became of them", ["verdict"], registry=registry
        )
        self.backlog = Gauge(
            "zccvoice_backlog_utterances", "Utterances that wait for the recognizer", registry=registry
        )
        self.late_calls = Gauge(
            "zccvoice_late_calls", "Calls that are transcribed behind the others", registry=registry
        )
        self.batch_utterances = Histogram(
            "zccvoice_batch_utterances",
            "Utterances recognized together",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=registry,
        )
        self.window_fill = Histogram(
            "zccvoice_window_fill_ratio",
            "Sound in a batch's windows, by their length",
            buckets=(0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 1),
            registry=registry,
        )
        self.recognized_seconds = Counter(
            "zccvoice_recognized_audio_seconds", "Seconds of sound recognized", registry=registry
        )
        self.recognizing_seconds = Counter(
            "zccvoice_recognizing_seconds",
            "Time that workers recognized, all together: what recognized seconds are divided by",
            registry=registry,
        )
        self.recognition_lag = Histogram(
            "zccvoice_recognition_lag_seconds",
            "From the end of an utterance to its transcript",
            buckets=_SECONDS,
            registry=registry,
        )
        self.scorecard_lag = Histogram(
            "zccvoice_scorecard_lag_seconds",
            "From the end of a stream to its call's row",
            buckets=_SECONDS,
            registry=registry,
        )
        self.store_retries = Counter(
            "zccvoice_store_retries", "Writes tried again because the database was away", registry=registry
        )
        self.lost_facts = Counter(
            "zccvoice_lost_facts", "Facts that the database refused for good (a defect)", registry=registry
        )
        cpu_seconds = Counter(
            "zccvoice_cpu_seconds", "CPU time of a stage's own threads", ["stage"], registry=registry
        )
        self.cpu_decode, self.cpu_vad = cpu_seconds.labels("decode"), cpu_seconds.labels("vad")
        self.cpu_store = cpu_seconds.labels("store")
        loop = Gauge(
            "zccvoice_loop_cpu_seconds", "CPU time of the thread that asks: Trio's loop", registry=registry
        )
        loop.set_function(time.thread_time)
        process = Gauge("zccvoice_process_cpu_seconds", "CPU time of the process", registry=registry)
        process.set_function(time.process_time)
        memory = Gauge("zccvoice_resident_memory_bytes", "Memory of the process", registry=registry)
        memory.set_function(_resident_bytes)
        self._hang_ups: dict[str, float] = {}

    def note_account_notice(self, notice: AccountNotice) -> None:
        """Count it, and keep the numbers that it tells."""
        self.account_notices.labels(notice.kind.value).inc()
        if notice.concurrency is not None:
            self.account_streams.set(notice.concurrency)
        if notice.limit is not None:
            self.account_streams_limit.set(notice.limit)

    def note_progress(self, counts: Counts) -> None:
        """This has gone through a projection."""
        for counter, more in (
            (self.audio_packets, counts.audio_packets),
            (self.rejected_payloads, counts.rejected_payloads),
            (self.audio_seconds, counts.audio_ms / 1000),
            (self.cpu_decode, counts.decode_s),
            (self.cpu_vad, counts.vad_s),
        ):
            if more:
                counter.inc(more)

    def note_hang_up(self, stream_id: str, now: float) -> None:
        """A stream has ended at `now` (monotonic seconds): start of its scorecard lag. The first note counts."""
        self._hang_ups.setdefault(stream_id, now)

    def note_scorecard(self, stream_id: str, now: float) -> float | None:
        """The row of the stream's call is committed; returns its lag in seconds, if its end was noted."""
        since = self._hang_ups.pop(stream_id, None)
        if since is None:
            return None
        self.scorecard_lag.observe(now - since)
        return now - since

    def forget_hang_up(self, stream_id: str) -> None:
        """The stream's end brings no row: it was revoked, or its call cannot be measured."""
        self._hang_ups.pop(stream_id, None)

    def exposition(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)


def _resident_bytes() -> float:
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 (procfs)
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
