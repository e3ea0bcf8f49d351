"""What Zoom refuses, and why: the texts for both tables of status codes, and for errors of the REST API.

Sources: Zoom "RTMS data types" (RTMS_STATUS_CODE), its older numbering of 2025, "Error codes" of the REST API.
"""

from __future__ import annotations

from zccvoice.rtms.enums import StatusCode
from zccvoice.rtms.wording import Text, Whose

_FILE_ISSUE = "This program does not do so: file an issue with the log's lines of this stream."
_CREDENTIALS = (
    "Compare client id and secret with the app's page in the Zoom App Marketplace: development or "
    "production, and for "
    "Video SDK sessions the SDK key and secret."
)
_SCOPES = (
    "Give the app the scope for it in the Zoom App Marketplace (audio of Contact Center: "
    "contact_center:read:zcc_voice_audio), and authorize the app again."
)
_WAIT = "Nothing, if it passes in a minute. Otherwise look for a second daemon with the same app."
_PARAMETER = (
    "Set zoom.send_rate_ms back to its default. If it stays, file an issue with the log's "
    "lines of this stream."
)


def _defect(happened: str) -> Text:
    return Text(happened, Whose.US, _FILE_ISSUE)


def _scope(kind: str) -> Text:
    return Text(f"Zoom does not give {kind} to this app, or not of this call.", Whose.ADMINISTRATOR, _SCOPES)


def _parameter(what: str) -> Text:
    return Text(f"Zoom did not accept {what} that we asked for.", Whose.US, _PARAMETER)


def _never_asked(what: str) -> Text:
    return Text(f"Zoom did not accept {what}; this program asks for no such media.", Whose.US, _FILE_ISSUE)


_SIGNATURE = Text("The signature of the handshake is wrong.", Whose.SETTINGS, _CREDENTIALS)
_STREAM_ID = Text(
    "Zoom does not know a stream of this id, or no longer.",
    Whose.ZOOM,
    "Nothing, if the call had ended. Otherwise Zoom announces the stream again, or zccvoice stream "
    "start begins one.",
)
_SECOND_SIGNALING = Text(
    "Zoom still holds a signaling connection of this stream: it has not noticed yet that ours broke, "
    "or somebody else "
    "is connected.",
    Whose.NETWORK,
    _WAIT,
)
_SECOND_MEDIA = Text(
    "Zoom still holds a media connection of this stream: it has not noticed yet that ours broke, or "
    "somebody else is "
    "connected.",
    Whose.NETWORK,
    _WAIT,
)
_INSIDE = Text(
    "Something failed inside Zoom.", Whose.ZOOM, "Nothing, unless it repeats: then ask Zoom with the ids."
)
_SOURCE_LANGUAGE = Text(
    "Zoom did not accept the language for its own transcripts.",
    Whose.SETTINGS,
    "Check the language that the call's queue is pinned to (language.queues).",
)

STATUS_CODES = {
    StatusCode.OK: Text("Zoom accepted.", Whose.ZOOM, "Nothing."),
    StatusCode.INVALID_MESSAGE_TYPE: _defect("We sent a message of a kind that Zoom does not know."),
    StatusCode.INVALID_RTMS_STREAM_ID: _STREAM_ID,
    StatusCode.INVALID_SIGNATURE: _SIGNATURE,
    StatusCode.INVALID_PAYLOAD: _defect("We sent a message that Zoom could not read."),
    StatusCode.INVALID_EVENTS: _defect("The list of events that we subscribed to was not one."),
    StatusCode.INVALID_EVENT_TYPE: _defect("We subscribed to an event that this product does not have."),
    StatusCode.INVALID_MEDIA_TYPE: _defect("We asked for a kind of media that there is not."),
    StatusCode.DUPLICATE_SIGNAL_REQUEST: _SECOND_SIGNALING,
    StatusCode.MEDIA_TYPE_AUDIO_NOT_SUPPORT: _scope("audio"),
    StatusCode.MEDIA_TYPE_VIDEO_NOT_SUPPORT: _scope("video"),
    StatusCode.MEDIA_TYPE_DESKSHARE_NOT_SUPPORT: _scope("screen share"),
    StatusCode.MEDIA_TYPE_TRANSCRIPT_NOT_SUPPORT: _scope("transcripts"),
    StatusCode.MEDIA_TYPE_CHAT_NOT_SUPPORT: _scope("chat"),
    StatusCode.MEDIA_TYPE_INVALID_VALUE: _defect("The kinds of media that we asked for do not go together."),
    StatusCode.MEDIA_DATA_ALL_CONNECTION_EXIST: _SECOND_MEDIA,
    StatusCode.DUPLICATE_MEDIA_DATA_CONNECTION: _SECOND_MEDIA,
    StatusCode.INVALID_MEDIA_PARAMS: _parameter("the media parameters"),
    StatusCode.INVALID_MEDIA_AUDIO_PARAMS: _parameter("the audio parameters"),
    StatusCode.INVALID_MEDIA_AUDIO_CONTENT_TYPE: _parameter("the form of audio"),
    StatusCode.INVALID_MEDIA_AUDIO_SAMPLE_RATE: _parameter("the sample rate"),
    StatusCode.INVALID_MEDIA_AUDIO_CHANNEL: _parameter("the number of audio channels"),
    StatusCode.INVALID_MEDIA_AUDIO_CODEC: _parameter("the audio codec"),
    StatusCode.INVALID_MEDIA_AUDIO_DATA_OPT: _parameter("one stream for each participant, or one for all,"),
    StatusCode.INVALID_MEDIA_AUDIO_SEND_RATE: _parameter("the length of audio messages"),
    StatusCode.INVALID_MEDIA_VIDEO_PARAMS: _never_asked("parameters of video"),
    StatusCode.INVALID_MEDIA_VIDEO_CONTENT_TYPE: _never_asked("the form of video"),
    StatusCode.INVALID_MEDIA_VIDEO_CODEC: _never_asked("the video codec"),
    StatusCode.INVALID_MEDIA_VIDEO_RESOLUTION: _never_asked("the resolution of video"),
    StatusCode.INVALID_MEDIA_VIDEO_DATA_OPT: _never_asked("the choice of video"),
    StatusCode.INVALID_MEDIA_VIDEO_FPS: _never_asked("the frame rate of video"),
    StatusCode.INVALID_MEDIA_DESKSHARE_PARAMS: _never_asked("parameters of screen share"),
    StatusCode.INVALID_MEDIA_DESKSHARE_CONTENT_TYPE: _never_asked("the form of screen share"),
    StatusCode.INVALID_MEDIA_DESKSHARE_CODEC: _never_asked("the codec of screen share"),
    StatusCode.INVALID_MEDIA_DESKSHARE_RESOLUTION: _never_asked("the resolution of screen share"),
    StatusCode.INVALID_MEDIA_DESKSHARE_FPS: _never_asked("the frame rate of screen share"),
    StatusCode.INVALID_MEDIA_TRANSCRIPT_PARAMS: _defect("Zoom did not accept the parameters of transcripts."),
    StatusCode.INVALID_MEDIA_TRANSCRIPT_CONTENT_TYPE: _defect("Zoom did not accept the form of transcripts."),
    StatusCode.INVALID_MEDIA_CHAT_PARAMS: _defect("Zoom did not accept the parameters of chat."),
    StatusCode.INVALID_MEDIA_CHAT_CONTENT_TYPE: _defect("Zoom did not accept the form of chat."),
    StatusCode.INVALID_RTMS_SESSION_ID: _defect("We asked for a session that the stream does not have."),
    StatusCode.INVALID_CLIENT_READY_ACK: _defect("We said to be ready before media were agreed upon."),
    StatusCode.INVALID_EVENT_SUBSCRIBE: _defect("Zoom could not read what events we subscribed to."),
    StatusCode.INVALID_MEDIA_TRANSCRIPT_SOURCE_LANGUAGE: _SOURCE_LANGUAGE,
    StatusCode.DUPLICATE_VIDEO_SUBSCRIPTION: _never_asked("a second subscription to video"),
    StatusCode.INTERNAL_EXCEPTION: _INSIDE,
    StatusCode.INVALID_MEDIA_TRANSCRIPT_TARGET_LANGUAGE: _defect(
        "Zoom did not accept the language to translate its transcripts into."
    ),
    StatusCode.CHAT_SESSION_KEY_NOT_AVAILABLE: Text(
        "The chat is encrypted, and its key is not there.",
        Whose.ZOOM,
        "Nothing: audio does not depend on it.",
    ),
}

_MISSING_ID = "{} in our handshake was {}."
OLDER_STATUS_CODES: dict[int, tuple[str, Text]] = {
    0: ("ok", STATUS_CODES[StatusCode.OK]),
    1: (
        "connection timeout",
        Text("Zoom waited too long for our message.", Whose.NETWORK, "Nothing, unless it repeats."),
    ),
    2: ("bad message size", _defect("We sent a message that is too long or too short.")),
    3: ("bad JSON", _defect("We sent a message that is not JSON.")),
    4: ("invalid message type", STATUS_CODES[StatusCode.INVALID_MESSAGE_TYPE]),
    5: ("message type missing", _defect("We sent a message without its type.")),
    6: ("message type not a number", _defect("We sent a message whose type is not a number.")),
    7: ("instance id missing", _defect(_MISSING_ID.format("The id of the call", "missing"))),
    8: ("instance id not a string", _defect(_MISSING_ID.format("The id of the call", "not a text"))),
    9: ("instance id empty", _defect(_MISSING_ID.format("The id of the call", "empty"))),
    10: ("stream id missing", _defect(_MISSING_ID.format("The id of the stream", "missing"))),
    11: ("stream id not a string", _defect(_MISSING_ID.format("The id of the stream", "not a text"))),
    12: ("stream id empty", _defect(_MISSING_ID.format("The id of the stream", "empty"))),
    13: ("session not found", _STREAM_ID),
    14: ("signature missing", _SIGNATURE),
    15: ("invalid signature", _SIGNATURE),
    16: ("invalid meeting or stream id", _STREAM_ID),
    17: ("duplicate signal request", _SECOND_SIGNALING),
    **dict.fromkeys(range(18, 22), ("event list", STATUS_CODES[StatusCode.INVALID_EVENTS])),
    22: ("media type missing", _defect("We did not say which media we want.")),
    23: ("media type not a number", _defect("The kinds of media that we asked for were not a number.")),
    24: ("audio not supported", _scope("audio")),
    25: ("video not supported", _scope("video")),
    26: ("screen share not supported", _scope("screen share")),
    27: ("transcript not supported", _scope("transcripts")),
    28: ("chat not supported", _scope("chat")),
    29: ("invalid media type value", STATUS_CODES[StatusCode.MEDIA_TYPE_INVALID_VALUE]),
    30: ("connection for all media exists", _SECOND_MEDIA),
    31: ("duplicate media connection", _SECOND_MEDIA),
    **dict.fromkeys(range(32, 35), ("media parameters", _parameter("the media parameters"))),
    **dict.fromkeys(range(35, 48), ("audio parameters", _parameter("an audio parameter"))),
    **dict.fromkeys(range(48, 58), ("video parameters", _never_asked("a parameter of video"))),
    **dict.fromkeys(range(58, 66), ("screen share parameters", _never_asked("a parameter of screen share"))),
    **dict.fromkeys(
        range(66, 69), ("transcript parameters", _defect("Zoom did not accept a parameter of transcripts."))
    ),
    **dict.fromkeys(range(69, 72), ("chat parameters", _defect("Zoom did not accept a parameter of chat."))),
    **dict.fromkeys(range(72, 74), ("invalid buffers", _INSIDE)),
    74: ("first packet failure", _INSIDE),
    75: ("session not found", _STREAM_ID),
}
"""What the number stood for, and the text."""

API_ERRORS = {
    400: Text(
        "Zoom could not read the request, or the call is not in a state for it.",
        Whose.SETTINGS,
        "Check the id and the product, and whether the call is running.",
    ),
    401: Text(
        "Zoom did not accept the credentials of the server-to-server app, or its token has run out.",
        Whose.SETTINGS,
        "Check zoom.api.account_id, client_id and client_secret, and that the app is activated.",
    ),
    403: Text(
        "The server-to-server app may not do this.",
        Whose.ADMINISTRATOR,
        "Give it the scope (Contact Center: contact_center:update:engagement_rtms_app_status:admin), "
        "then activate it "
        "again.",
    ),
    404: Text(
        "Zoom does not know this call, or it is over.",
        Whose.SETTINGS,
        "Check the id and the product; a meeting is named by its number here, not by its UUID.",
    ),
    429: Text(
        "Zoom was asked too often.",
        Whose.SETTINGS,
        "Wait a minute, and ask less often (the rate limits are Zoom's).",
    ),
    2308: Text(
        "This app may not start streams of this call.",
        Whose.ADMINISTRATOR,
        "Allow the app for the account and the queue or host, and check that the app has RTMS "
        "scopes. The client id in "
        "the request must be that of the RTMS app.",
    ),
    2310: Text(
        "Zoom could not do it; without credits for RTMS (Developer Pack) it says so, too.",
        Whose.ADMINISTRATOR,
        "Check in Zoom's billing that the account has RTMS credits, and that the call is running.",
    ),
    4700: Text(
        "Zoom did not accept the access token.",
        Whose.SETTINGS,
        "Check that the server-to-server app is activated.",
    ),
    4711: Text(
        "The access token lacks a scope.",
        Whose.ADMINISTRATOR,
        "Give the app the scope, then activate it again.",
    ),
}
"""By HTTP status, and by the ``code`` in the body."""
