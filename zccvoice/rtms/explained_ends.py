"""Why streams end, and why sound is missing: the texts. Sources: Zoom "RTMS data types", stop reasons."""

from __future__ import annotations

from zccvoice.rtms.enums import StopReason
from zccvoice.rtms.wording import Text, Whose

_NOTHING = "Nothing: calls end so."
_WHO_CLOSED = (
    "Look in the log for what this program wrote at that time, and whether a proxy or firewall closes idle "
    "connections. What was missed is a gap in the call."
)

STOP_REASONS = {
    StopReason.UNDEFINED: Text(
        "Zoom ended the stream and gave no reason.", Whose.ZOOM, "Nothing, unless it happens often."
    ),
    StopReason.HOST_TRIGGERED: Text("The host stopped the streaming.", Whose.PEOPLE, _NOTHING),
    StopReason.USER_TRIGGERED: Text("A participant stopped the streaming.", Whose.PEOPLE, _NOTHING),
    StopReason.USER_LEFT: Text("The participant for whom we streamed has left.", Whose.PEOPLE, _NOTHING),
    StopReason.USER_EJECTED: Text(
        "The participant for whom we streamed was removed.", Whose.PEOPLE, _NOTHING
    ),
    StopReason.HOST_DISABLED_APP: Text(
        "The host switched the app off for this meeting.",
        Whose.PEOPLE,
        "If meetings of this host are to be analysed, ask the host or the administrator to allow the app.",
    ),
    StopReason.MEETING_ENDED: Text("The meeting ended.", Whose.PEOPLE, _NOTHING),
    StopReason.STREAM_CANCELED: Text(
        "The stream was cancelled by a participant or by Zoom before its call was over.",
        Whose.PEOPLE,
        _NOTHING,
    ),
    StopReason.STREAM_REVOKED: Text(
        "The right to this stream was revoked. What was received of it had to be deleted, and was: "
        "sound, keys "
        "and rows are gone, a tombstone in the database remains.",
        Whose.PEOPLE,
        "Do not restore it from a backup: Zoom requires that the data are deleted at once.",
    ),
    StopReason.ALL_APPS_DISABLED: Text(
        "All apps were switched off for this call.",
        Whose.ADMINISTRATOR,
        "If that was not meant for this app, ask the administrator of the Zoom account.",
    ),
    StopReason.INTERNAL_EXCEPTION: Text(
        "Something failed inside Zoom. The stream does not come back by itself.",
        Whose.ZOOM,
        "If the call still runs, start the stream again with zccvoice stream start. If it repeats, "
        "ask Zoom with "
        "the stream's ids.",
    ),
    StopReason.CONNECTION_TIMEOUT: Text(
        "Nobody connected to the stream in the time that Zoom waits for it.",
        Whose.US,
        "Run zccvoice doctor. Check that the daemon ran, that its log shows the webhook, and that "
        "this machine "
        "may connect to Zoom's servers on port 443.",
    ),
    StopReason.INSTANCE_CONNECTION_INTERRUPTED: Text(
        "Zoom's media servers lost the call itself.",
        Whose.ZOOM,
        "Nothing here. If the call still runs, zccvoice stream start begins a new stream.",
    ),
    StopReason.SIGNAL_CONNECTION_INTERRUPTED: Text(
        "The signaling connection broke, and was not there again within a minute.", Whose.NETWORK, _WHO_CLOSED
    ),
    StopReason.DATA_CONNECTION_INTERRUPTED: Text(
        "The media connection broke, and was not there again within about a minute.",
        Whose.NETWORK,
        _WHO_CLOSED,
    ),
    StopReason.SIGNAL_CONNECTION_CLOSED_ABNORMALLY: Text(
        "The signaling connection was closed from our side without a goodbye.", Whose.US, _WHO_CLOSED
    ),
    StopReason.DATA_CONNECTION_CLOSED_ABNORMALLY: Text(
        "The media connection was closed from our side without a goodbye.", Whose.US, _WHO_CLOSED
    ),
    StopReason.EXIT_SIGNAL: Text(
        "The server at Zoom that sent the stream was shut down.",
        Whose.ZOOM,
        "Nothing here. If the call still runs, zccvoice stream start begins a new stream.",
    ),
    StopReason.AUTHENTICATION_FAILURE: Text(
        "Zoom did not accept our signature. About a second after the start this means wrong credentials.",
        Whose.SETTINGS,
        "Compare client id and secret with the app's page in the Zoom App Marketplace: often those of the "
        "development and the production version are mixed up, or a Video SDK stream was signed with "
        "the other app's.",
    ),
    StopReason.AWAIT_RECONNECTION_TIMEOUT: Text(
        "A connection broke and we came back too late: Zoom keeps a stream for about a minute.",
        Whose.NETWORK,
        "Look in the log for why the reconnects failed. A daemon that was stopped for longer than a "
        "minute shows this.",
    ),
    StopReason.RECEIVER_REQUEST_CLOSE: Text(
        "We asked Zoom to end the stream, and it did.", Whose.US, "Nothing: a daemon that stops does so."
    ),
    StopReason.CUSTOMER_DISCONNECTED: Text("The customer hung up.", Whose.PEOPLE, _NOTHING),
    StopReason.AGENT_DISCONNECTED: Text(
        "The agent left the call: hung up, or transferred it. After a transfer a new stream of the "
        "same engagement "
        "begins.",
        Whose.PEOPLE,
        _NOTHING,
    ),
    StopReason.ADMIN_DISABLED_APP: Text(
        "An administrator switched the app off.",
        Whose.ADMINISTRATOR,
        "If that was not meant, ask the administrator of the Zoom account to allow the app again.",
    ),
    StopReason.KEEP_ALIVE_TIMEOUT: Text(
        "We did not answer three keep-alives in a row (about 30 seconds).",
        Whose.US,
        "The daemon or its machine stood still: look at its CPU and disk at that time, and for "
        "connections that a "
        "firewall cuts without a word.",
    ),
    StopReason.MANUAL_API_TRIGGERED: Text(
        "Somebody stopped the stream through Zoom's REST API, as zccvoice stream stop does.",
        Whose.ADMINISTRATOR,
        "Nothing, if that was meant. Otherwise find out who holds credentials with the scope for it.",
    ),
    StopReason.STREAMING_NOT_SUPPORTED: Text(
        "The queue of this call may not be streamed.",
        Whose.ADMINISTRATOR,
        "In Zoom Contact Center, assign the app to the queue, and check that the account has RTMS "
        "for it. A call that "
        "was transferred to such a queue ends so, too.",
    ),
}

END_CAUSES = {
    "unspecified": Text(
        "Zoom ended the stream and gave no reason.", Whose.ZOOM, "Nothing, unless it happens often."
    ),
    "stopped": Text("Zoom announced the end without a reason.", Whose.ZOOM, _NOTHING),
    "call_ended": Text("The call ended.", Whose.PEOPLE, _NOTHING),
    "recording_ended": Text("The recording ended: the call came from a file.", Whose.RECORDING, _NOTHING),
    "connection_lost": Text(
        "The connection to Zoom broke while the call went on, and could not be had again in time.",
        Whose.NETWORK,
        _WHO_CLOSED,
    ),
    "superseded": Text(
        "Another stream of the same call had begun, after a transfer or a failover inside Zoom, and this one's "
        "connections were gone.",
        Whose.ZOOM,
        "Nothing: the call goes on in the other stream.",
    ),
    "connection_failed": Text(
        "A server of Zoom's could not be reached, or did not answer in time.",
        Whose.NETWORK,
        "Run zccvoice doctor. Check name resolution, and that this machine may connect to Zoom's "
        "servers on port 443.",
    ),
    "silent": Text(
        "Nothing at all came on the signaling connection for too long. Versions that reconnect by themselves end "
        "no stream so.",
        Whose.NETWORK,
        "Look for a firewall that forgets long connections; Zoom sends something every ten seconds.",
    ),
    "handshake_refused": Text(
        "Zoom did not let us in. Its status and reason are in the log and in the stream's detail.",
        Whose.SETTINGS,
        "zccvoice explain with that status; most often it is the credentials, or an app without the scopes.",
    ),
    "forbidden_host": Text(
        "Zoom named a server that zoom.allowed_hosts does not allow, so we did not connect.",
        Whose.SETTINGS,
        "If the host in the log is Zoom's, add it to zoom.allowed_hosts. If it is not, somebody "
        "knows your secret "
        "token: renew it.",
    ),
    "config": Text(
        "No Zoom app is configured for the stream's product and account.",
        Whose.SETTINGS,
        "Compare products and accounts in zoom.apps with the ids in the log.",
    ),
    "remote_protocol": Text(
        "The server said something that RTMS does not allow, such as no media URL for audio.",
        Whose.ZOOM,
        "Check that the app has the scope for audio (contact_center:read:zcc_voice_audio). Otherwise "
        "file an issue "
        "with the log's lines.",
    ),
    "local_protocol": Text(
        "A defect in this program.", Whose.US, "File an issue with the log's lines of this stream."
    ),
    "internal_error": Text(
        "A defect in this program ended this call; the others went on.",
        Whose.US,
        "File an issue with the log's lines of this stream. What was received is in its journal: "
        "zccvoice replay "
        "makes its rows again with a mended version.",
    ),
    "shutdown": Text(
        "The daemon was stopped while the call was running.",
        Whose.US,
        "Nothing, if that was meant; a daemon that is back within a minute goes on with the call.",
    ),
    "daemon_down": Text(
        "The daemon was not running, and came back too late for Zoom to still have the stream.",
        Whose.US,
        "Find out why it stopped: its log, the system's journal, out-of-memory kills.",
    ),
    "journal": Text(
        "The stream's journal could not be read or written.",
        Whose.US,
        "Look at the log, at the disk of data.folder and at the rights on it; zccvoice doctor checks them.",
    ),
    "journal_full": Text(
        "There was no room on the disk for the stream's journal.",
        Whose.US,
        "Make room in data.folder, or bound what journals take with journal.budget_gib and "
        "retention.sound_days.",
    ),
    "journal_unavailable": Text(
        "The system did not let the stream's journal be opened or read, for want of file handles or of a disk.",
        Whose.US,
        "Look at the log, at the disk of data.folder and at the limit of open files (ulimit -n, LimitNOFILE).",
    ),
    "key_missing": Text(
        "The key of the stream's journal is gone, or was wrapped by another master key.",
        Whose.SETTINGS,
        "Give the master key that the journals were written under.",
    ),
    "decode": Text(
        "The audio was not in the form that was announced.", Whose.ZOOM, "File an issue with the log's lines."
    ),
}

GAP_CAUSES = {
    "damaged_recording": Text(
        "Parts of the sound file are broken and cannot be decoded.",
        Whose.RECORDING,
        "Look for another copy of the recording, and at the system that made it.",
    ),
    "undecodable": Text(
        "What came was not audio in the form that was announced.",
        Whose.ZOOM,
        "File an issue with the log's lines.",
    ),
    "lost_packets": Text(
        "Packets never came although the connection stood.",
        Whose.NETWORK,
        "A few are usual. Many: look at the network, and whether the daemon keeps up "
        "(zccvoice_backlog_utterances).",
    ),
    "daemon_down": Text(
        "The daemon was not running at that time.",
        Whose.US,
        "Find out why it stopped: its log, the system's journal, out-of-memory kills.",
    ),
    "connection_lost": Text(
        "There was no connection to Zoom, and it had no longer buffered what it sent.",
        Whose.NETWORK,
        "Look in the log for when it broke and came back, and for proxies and firewalls between.",
    ),
    "stream_stopped": Text(
        "Zoom had stopped the stream, and started it again later.",
        Whose.ZOOM,
        "The log tells the reason of the stop; zccvoice explain says what it means.",
    ),
    "disk_full": Text(
        "The sound came, but there was no room on the disk to keep it.",
        Whose.US,
        "Make room in data.folder, or bound what journals take with journal.budget_gib and "
        "retention.sound_days.",
    ),
    "damaged_journal": Text(
        "A part of the journal could not be read back: a loss of power before it was forced onto the "
        "disk, or a "
        "failing disk.",
        Whose.US,
        "After a loss of power: nothing, or a smaller journal.sync_every_s. Otherwise check the disk.",
    ),
}
