"""Drive the vendor's own SDK, unmodified, through every call the pipeline makes; print what came back as JSON.

Runs as a process of its own: the SDK reads and watches a file under HOME and keeps a global configuration, neither of
which belongs in the test process. Usage: ``python sdk_caller.py API_BASE_URL CLIENT_ID CLIENT_SECRET INTERVAL``.
"""

from __future__ import annotations

import json
import sys
import time

import PureCloudPlatformClientV2 as Sdk

WAIT_SECONDS = 10


def until(ask, done):
    """Ask again until ``done`` of the answer, at most ten seconds; return the answers."""
    answers, end = [ask()], time.monotonic() + WAIT_SECONDS
    while not done(answers[-1]) and time.monotonic() < end:
        time.sleep(0.05)
        answers.append(ask())
    return answers


def predicate(model, **fields):
    """Build one SDK model with these fields."""
    made = model()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def details_query(kind, interval):
    """Build the query for closed voice conversations with a recording."""
    segment = [
        predicate(Sdk.SegmentDetailQueryPredicate, dimension="mediaType", operator="matches", value="voice"),
        predicate(Sdk.SegmentDetailQueryPredicate, dimension="recording", operator="exists"),
    ]
    ended = [predicate(Sdk.ConversationDetailQueryPredicate, dimension="conversationEnd", operator="exists")]
    return predicate(
        kind,
        interval=interval,
        segment_filters=[predicate(Sdk.SegmentDetailQueryFilter, type="and", predicates=segment)],
        conversation_filters=[predicate(Sdk.ConversationDetailQueryFilter, type="and", predicates=ended)],
    )


def conversations_of(analytics, interval):
    """Page through the synchronous query until a page is empty."""
    found, number = [], 1
    while True:
        query = details_query(Sdk.ConversationQuery, interval)
        query.paging = predicate(Sdk.PagingSpec, page_size=25, page_number=number)
        page = analytics.post_analytics_conversations_details_query(query).conversations
        if not page:
            return found
        found, number = found + page, number + 1


def batch(recording, ids):
    """Submit one batch and poll it to the end; return the polls."""
    items = [predicate(Sdk.BatchDownloadRequest, conversation_id=each) for each in ids]
    body = predicate(Sdk.BatchDownloadJobSubmission, batch_download_request_list=items)
    job = recording.post_recording_batchrequests(body)
    return until(lambda: recording.get_recording_batchrequest(job.id), lambda status: status.status == "Completed")


def asynchronous(analytics, interval):
    """Run an asynchronous details job; return its states and the ids from all its pages."""
    job = analytics.post_analytics_conversations_details_jobs(details_query(Sdk.AsyncConversationQuery, interval))
    polls = until(
        lambda: analytics.get_analytics_conversations_details_job(job.job_id),
        lambda status: status.state == "FULFILLED",
    )
    ids, cursor = [], None
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = analytics.get_analytics_conversations_details_job_results(job.job_id, page_size=10, **more)
        ids += [each.conversation_id for each in page.conversations]
        cursor = page.cursor
        if not cursor:
            return [poll.state for poll in polls], ids


def bulk(recording, interval):
    """Create, await, execute and await a recording bulk job; return the states and the failures listed."""
    query = predicate(
        Sdk.RecordingJobsQuery,
        action="EXPORT",
        action_date="2030-01-01T00:00:00.000Z",
        integration_id="00000000-0000-4000-8000-000000000000",
        conversation_query=details_query(Sdk.AsyncConversationQuery, interval),
    )
    job = recording.post_recording_jobs(query)
    states = [poll.state for poll in until(lambda: recording.get_recording_job(job.id), lambda it: it.state == "READY")]
    recording.put_recording_job(job.id, predicate(Sdk.ExecuteRecordingJobsQuery, state="PROCESSING"))
    states += [
        poll.state for poll in until(lambda: recording.get_recording_job(job.id), lambda it: it.state == "FULFILLED")
    ]
    return states, recording.get_recording_job_failedrecordings(job.id).total, recording.get_recording_jobs().total


def main(host, client_id, secret, interval):
    """Make every call and print the facts."""
    Sdk.configuration.host = host
    client = Sdk.ApiClient().get_client_credentials_token(client_id, secret)
    analytics, recording = Sdk.AnalyticsApi(client), Sdk.RecordingApi(client)
    users, routing = Sdk.UsersApi(client), Sdk.RoutingApi(client)

    conversations = conversations_of(analytics, interval)
    ids = [each.conversation_id for each in conversations]
    polls = batch(recording, ids[:100])
    good = next(result for result in polls[-1].results if result.result_url and result.content_type.startswith("audio"))
    pair = (good.conversation_id, good.recording_id)
    whole = until(
        lambda: recording.get_conversation_recording(*pair, format_id="WAV", download=True), lambda it: it.media_uris
    )
    everything = until(lambda: recording.get_conversation_recordings(pair[0], format_id="MP3", max_wait_ms=1), bool)
    agents = [part.user_id for each in conversations for part in each.participants if part.purpose == "agent"]
    segments = [
        segment
        for each in conversations
        for part in each.participants
        for session in part.sessions
        for segment in session.segments
    ]
    codes = sorted({segment.wrap_up_code for segment in segments if segment.wrap_up_code})
    queues = sorted({segment.queue_id for segment in segments if segment.queue_id})
    available = analytics.get_analytics_conversations_details_jobs_availability()
    states, job_ids = asynchronous(analytics, interval)
    print(  # noqa: T201 - the result of the script
        json.dumps(
            {
                "conversations": ids,
                "batch_statuses": [poll.status for poll in polls],
                "batch_counts": [(poll.result_count, poll.expected_result_count) for poll in polls],
                "batch_results": len(polls[-1].results),
                "metadata": [each.file_state for each in recording.get_conversation_recordingmetadata(pair[0])],
                "metadata_one": recording.get_conversation_recordingmetadata_recording_id(*pair).id == pair[1],
                "transcoding_first": whole[0].estimated_transcode_time_ms,
                "media_keys": list(whole[-1].media_uris),
                "recordings": [len(answer) for answer in everything],
                "users": len(users.get_users(id=sorted(set(agents))[:100], state="any", page_size=100).entities),
                "users_asked": len(sorted(set(agents))[:100]),
                "user": users.get_user(agents[0], state="active").id == agents[0],
                "queues": len(routing.get_routing_queues(id=queues, page_size=100).entities) == len(queues),
                "codes": len(routing.get_routing_wrapupcodes(id=codes, page_size=100).entities) == len(codes),
                "settings": recording.get_recording_settings().recording_batch_download_url_ttl,
                "available": available.data_availability_date.year,
                "job_states": states,
                "job_ids": job_ids,
                "bulk": bulk(recording, interval),
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
