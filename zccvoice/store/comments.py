"""What the database says about itself: a comment on every table, view, column and function to call.

Written after every upgrade and not by migrations, because a comment may always be replaced: so a definition
has one place (beside the column in `tables`, for a measure in `analytics.scorecard`) and a better sentence
needs no migration.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, MetaData, Table, inspect, text
from sqlalchemy.schema import SetColumnComment, SetTableComment

from zccvoice.store.schema import REPORTING_SCHEMA, Base

_OF_YOURS = "of the calls that you may read"
_VIEWS = {
    "call": "One row per call: when, who, through which queue, and every measure (NULL until computed).",
    "live_call": "Running calls, with provisional measures made anew every few seconds; see age_ms.",
    "agent_day": f"Per agent and UTC day: sums over calls and ratios of those sums, {_OF_YOURS}.",
    "queue_hour": f"Per queue and UTC hour: sums over calls and ratios of those sums, {_OF_YOURS}.",
    "utterance": "What was said, by whom and when.",
    "transcript_search": "What was said, for a full text search of your own; reporting.search is faster.",
    "refused_utterance": "What the recognizer said and was not believed, with why; no measure counts it.",
    "language_pin": "Every decision on the language of a call or side: where it comes from, how certain it is.",
    "zoom_transcript": "What Zoom itself transcribed, where it is asked for. No measure is made of it.",
    "chat_message": "Chat of meetings, webinars and Video SDK sessions, where it is asked for.",
    "track": "How each leg of a call arrived and sounds: losses, levels, noise, jitter, leakage.",
    "one_way_audio": "A minute and more in which a channel said nothing while others spoke: dead, or a listener.",
    "gap": "Audio that should have arrived and did not: see coverage_ratio of the call.",
    "event": "What Zoom told about a call: answered, hold, unhold, transfer and so on.",
    "silence": "Stretches in which everybody could be heard and nobody spoke, longer than the threshold.",
    "hold": "When a call was on hold.",
    "interruption": "A side began to speak while another was in the middle of it.",
    "speech": "Stretches of speech of a channel: utterances with hardly any time between them.",
    "loudness": "One row per second of speech: how loud it was.",
    "side": "The measures of one side of a call, by names without the side.",
    "agent_part": "Parts of calls by agent: count here what each agent did in calls that several share.",
    "category": "Where a rule matched: which revision of it, and what in the call.",
    "rule_revision": "Rules that calls were judged by. A rule whose content changes is a new revision.",
    "metric_definition": "What every measure means. A changed definition is a further version.",
    "schema_change": "The history of this schema: which version, what it brought, and since when.",
    "agent_call": "One row per agent and call, with what is of this agent alone; the rest is in reporting.call.",
    "call_recognition": "What became of the utterances of each call: counted when it was measured, till then now.",
    "recognition": "One row per utterance: what became of transcribing it, and how long that took.",
    "metric_target": "Target ranges of measures; of the same measure, queue and team the latest holds.",
}
_FUNCTIONS = {
    "search(text, text, date, date, integer)": (
        'Utterances in which the query is found, newest day first: words in any form they have, "a phrase", or, '
        "-not. A language is a Whisper code, NULL is every language; since is the first day, until the first "
        "no longer searched; most is how many at most."
    ),
}

# Columns that no table has, or that say something else in a view. The others are described as in their table.
_AGENT_NAME = "Names of the agents on the call, in alphabetical order."
_SPEAKER_NAME = "Name of the participant as Zoom shows it."
_SPEAKER_OF_UTTERANCE = f"{_SPEAKER_NAME} NULL in a mixed track where it is not certain who spoke."
_SIDE_OF_UTTERANCE = "Side of whoever spoke: agent, customer or other; NULL where that is not known."
_LENGTH = "Its length, ms."
_LENGTH_OPEN = "Its length within the time that a stream was open, ms."
_SCORE = "Loudness as 0-100: linear from -60 dBFS to 0 dBFS, clipped."
_CALLS = {
    "calls_count": "Calls.",
    "measured_calls_count": "Calls that have measures; only these are in the sums.",
    "damaged_calls_count": "Measured calls of which too much audio is missing; they are in the sums.",
    "mean_first_response_agent_ms": "Mean over the calls of the time from answer to first agent speech, ms.",
    "talk_ratio_agent": "Talk time of the agent side by the duration, of all the calls together.",
    "talk_share_agent": "The part of the agent side in the talk time, of all the calls together.",
    "talk_speed_agent_wpm": (
        "Words of the agent side per minute of its transcribed speech, of all the calls together that have one."
    ),
}
_OWN = {
    "length_ms": (
        "How long the agent was on the call while a stream was open, ms: the duration, or his parts together."
    ),
    "talk_time_ms": "The agent's own speech, ms.",
    "talk_time_total_ms": "The agent's own speech and that of all others while he was on the call, ms.",
    "words_count": "Words of the agent's kept transcripts; NULL when they are not known or cannot be counted.",
    "talk_speed_wpm": (
        "Words per minute of the agent's own transcribed speech; NULL below 20 words. Of several parts those "
        "count that have one."
    ),
    "hold_time_ms": "Time on hold while the agent was on the call, ms.",
    "hold_count": "Holds that began while the agent was on the call.",
    "silence_time_ms": "Silences of the call (more than 3 s) while the agent was on it, ms.",
    "interruptions_count": "How often the agent began to speak in the middle of another side's utterance.",
    "first_response_ms": "From the agent's first answering to his speech after it, ms; NULL when none was told.",
    "response_gap_ms_p50": (
        "Median time from the end of another's turn to the start of the agent's, ms; of several parts their mean."
    ),
    "longest_monologue_ms": "The agent's longest turn, first word to last, ms.",
    "sentiment_score": (
        "Sentiment of the agent's words, -5 to +5; several parts are weighted by their words that have one."
    ),
}
_OWN_OF_DAY = {
    **{
        name: f"Sum over the calls: {_OWN[name]}"
        for name in ("hold_time_ms", "hold_count", "silence_time_ms")
    },
    "non_talk_time_total_ms": "Sum over the calls: hold and silences while the agent was on the call, ms.",
    "talk_time_agent_ms": f"Sum over the calls: {_OWN['talk_time_ms']}",
    "interruptions_agent_count": f"Sum over the calls: {_OWN['interruptions_count']}",
    "words_agent_count": f"Sum over the calls: {_OWN['words_count']}",
    "talk_ratio_agent": "Talk time of the agent by the time that he was on the calls, of all together.",
    "talk_share_agent": "The part of the agent in the talk time while he was on the calls, of all together.",
    "talk_speed_agent_wpm": (
        "Words of the agent per minute of his transcribed speech, of all the calls together that have one."
    ),
}
_VIEW_COLUMNS = {
    ("call", "agent_name"): _AGENT_NAME,
    ("call", "end_reason"): (
        "How its streams ended: the reason of Zoom (customer_disconnected), or ours when we did not receive the "
        "whole of it (shutdown, connection_lost, handshake_refused). The measures are of what was received."
    ),
    ("live_call", "agent_name"): _AGENT_NAME,
    ("live_call", "age_ms"): "How long ago these measures were computed, ms.",
    ("live_call", "rule_hits_count"): "How often rules have matched so far.",
    ("live_call", "rule_hits"): "Names of the rules that have matched so far, in alphabetical order.",
    ("agent_day", "agent_name"): "Last known name of the agent.",
    ("agent_day", "day"): "UTC day on which the calls began.",
    ("agent_day", "shared_calls_count"): (
        "Calls with another agent as well. What is the agent's own is in them that of the agent's part."
    ),
    **{("agent_day", name): comment for name, comment in _CALLS.items()},
    **{("agent_day", name): comment for name, comment in _OWN_OF_DAY.items()},
    ("agent_call", "agent_name"): "Last known name of the agent.",
    ("agent_call", "day"): "UTC day on which the call began.",
    **{("agent_call", name): comment for name, comment in _OWN.items()},
    ("agent_call", "agent_team_ids"): "Teams that the agent himself was in when the call began.",
    (
        "agent_call",
        "is_alone",
    ): "No other agent was on the call: what is the agent's own is that of the whole call, else of his parts.",
    ("recognition", "outcome"): (
        "kept; empty: no words in it; refused by a guard; failed; waiting: there is no transcript yet."
    ),
    ("recognition", "reason"): "Why it was refused or failed; NULL otherwise.",
    ("recognition", "length_ms"): _LENGTH,
    ("recognition", "lag_ms"): (
        "From the end of the utterance to its being stored, ms. Of recordings: since the call was recorded. NULL "
        "when that is below zero: the call ran by a clock faster than ours, as in the demo."
    ),
    ("metric_target", "queue_id"): "The queue it is for; NULL: every queue.",
    ("metric_target", "team_id"): "The team it is for; NULL: every team.",
    ("queue_hour", "hour"): "Start of the UTC hour in which the calls began.",
    **{("queue_hour", name): comment for name, comment in _CALLS.items()},
    ("utterance", "side"): _SIDE_OF_UTTERANCE,
    ("utterance", "speaker_name"): _SPEAKER_OF_UTTERANCE,
    ("utterance", "started_at"): "When it began.",
    ("utterance", "text"): "Transcript, redacted; NULL unless the verdict is kept.",
    ("utterance", "loudness_score"): f"{_SCORE} NULL without a level.",
    ("transcript_search", "side"): _SIDE_OF_UTTERANCE,
    ("transcript_search", "speaker_name"): _SPEAKER_OF_UTTERANCE,
    ("transcript_search", "text"): "Transcript, redacted.",
    ("transcript_search", "search"): "The words of the text, stemmed as its language asks; compare with @@.",
    ("refused_utterance", "speaker_name"): _SPEAKER_NAME,
    ("refused_utterance", "reason"): "Why it was not believed.",
    ("language_pin", "channel_id"): "The channel that it is for; NULL when it is for the whole call.",
    ("language_pin", "speaker_name"): _SPEAKER_NAME,
    ("zoom_transcript", "speaker_name"): _SPEAKER_NAME,
    ("track", "lost_ratio"): "Share of the packets that never came, 0-1.",
    ("track", "snr_db"): "Level of the speech above that of the noise, dB.",
    ("one_way_audio", "length_ms"): _LENGTH,
    ("gap", "length_ms"): _LENGTH,
    ("event", "at_ms"): "When, ms on the engagement's clock; negative before the first packet.",
    ("event", "channel_id"): "The channel it is about; NULL when it is about the whole call.",
    ("silence", "length_ms"): _LENGTH,
    ("hold", "length_ms"): _LENGTH_OPEN,
    ("speech", "length_ms"): _LENGTH,
    ("category", "started_at"): "When it was in the call, by the clock on the wall.",
    ("agent_part", "agent_name"): "Name of the agent as Zoom shows it.",
    ("agent_part", "day"): "UTC day on which the call began.",
    ("agent_part", "started_at"): "When the agent came to the call.",
    ("agent_part", "ended_at"): "When the agent left it.",
    ("agent_part", "length_ms"): _LENGTH_OPEN,
    ("loudness", "at_ms"): "Start of the second, ms on the engagement's clock.",
    ("loudness", "loudness_dbfs"): "RMS level of the second, dBFS.",
    ("loudness", "loudness_score"): _SCORE,
}
_VIEW_TABLES = {
    "call": ("engagement", "scorecard"),
    "live_call": ("live_call", "engagement"),
    "agent_day": ("agent", "scorecard"),
    "queue_hour": ("queue", "scorecard"),
    "utterance": ("utterance", "participant"),
    "transcript_search": ("utterance", "participant"),
    "refused_utterance": ("utterance", "participant"),
    "language_pin": ("language_pin", "participant"),
    "zoom_transcript": ("zoom_transcript", "participant"),
    "chat_message": ("chat_message",),
    "track": ("track", "participant"),
    "one_way_audio": ("one_way_audio", "participant"),
    "gap": ("gap", "participant"),
    "event": ("call_event", "participant"),
    "silence": ("silence",),
    "hold": ("hold",),
    "interruption": ("interruption",),
    "speech": ("speech_span",),
    "loudness": ("utterance", "participant"),
    "side": ("side_scorecard",),
    "agent_part": ("agent_part", "participant"),
    "category": ("category_hit",),
    "rule_revision": ("rule_revision",),
    "metric_definition": ("metric_definition",),
    "agent_call": ("participant", "engagement"),
    "call_recognition": ("call_recognition", "engagement"),
    "recognition": ("utterance", "participant", "engagement"),
    "metric_target": ("metric_target",),
    "schema_change": ("schema_change",),
}
_OVER_CALLS = ("agent_day", "queue_hour")


def write_comments(connection: Connection) -> None:
    """Comment every table and view of ours as this version of the program describes them."""
    for table in Base.metadata.sorted_tables:
        connection.execute(SetTableComment(table))
        _comment_columns(connection, table)
    for view in _views(connection):
        # SQLAlchemy knows COMMENT ON TABLE alone; the sentences above hold nothing to quote.
        connection.execute(text(f"COMMENT ON VIEW {REPORTING_SCHEMA}.{view.name} IS '{_VIEWS[view.name]}'"))
        _comment_columns(connection, view)
    for function, comment in _FUNCTIONS.items():
        connection.execute(text(f"COMMENT ON FUNCTION {REPORTING_SCHEMA}.{function} IS '{comment}'"))


def _comment_columns(connection: Connection, table: Table) -> None:
    for column in table.columns:
        connection.execute(SetColumnComment(column))


def _views(connection: Connection) -> Iterator[Table]:
    metadata = MetaData(schema=REPORTING_SCHEMA)
    for name in inspect(connection).get_view_names(REPORTING_SCHEMA):
        view = Table(name, metadata, autoload_with=connection)
        for column in view.columns:
            column.comment = _VIEW_COLUMNS.get((name, column.name)) or _comment_in_table(name, column.name)
        yield view


def _comment_in_table(view: str, column: str) -> str | None:
    tables = {table.name: table for table in Base.metadata.tables.values()}
    for table in _VIEW_TABLES[view]:
        if column in tables[table].columns:
            comment = tables[table].columns[column].comment
            return (
                f"Sum over the calls: {comment}" if view in _OVER_CALLS and table == "scorecard" else comment
            )
    return None
