"""A Genesys Cloud to practise on: tokens, analytics, batch jobs, presigned media, directory, and declared faults.

It judges the pipeline, so it shares no code with it. It is honest to the published API (``contract="platform"``) and,
on request, to the contract of the two customer guides (``contract="guide"``). Start it from a shell::

    python -m include.sandbox --port 0 --media-port 0 --date 2026-01-05 --timezone Europe/Berlin --conversations 300 \
        --seed 7 --contract platform --scenario ordinary --fault media-truncated:1 --ready-file /tmp/sandbox.json

or inside a test::

    from include.sandbox.config import SandboxConfig
    from include.sandbox.server import running

    with running(SandboxConfig(dates=(date(2026, 1, 5),), conversations=20)) as sandbox:
        sandbox.api_base_url, sandbox.truth(date(2026, 1, 5)), sandbox.faults.switch_on("api-500:2")

``running`` yields a ``server.Sandbox``: ``api_base_url``, ``login_base_url``, ``media_base_url``, ``org_id``,
``client_id``, ``client_secret``, ``journal`` (iterable; ``calls("GET /api/v2/users")``, ``summary()``, ``clear()``),
``faults`` (``switch_on("NAME:ARG")``, ``switch_off(name)``), ``tenant``, ``truth(day, output_format=None)``.
The same over the wire, without a token: ``GET /sandbox``, ``GET /sandbox/truth?date=``, ``GET|DELETE /sandbox/journal``
(``?summary=1``), ``GET|POST|DELETE /sandbox/faults`` (``{"fault": "NAME:ARG"}``, ``?name=``), ``POST /sandbox/late``
(``{"landed": true}``), ``DELETE /sandbox/tokens``.

Where it is simpler than the real thing: ``formatId`` WEBM and OGG_VORBIS are served as Ogg/Opus, playback URLs of the
single channels are all the merged file, and evaluation, survey and resolution filters are refused.

Read in this order: ``scenario`` (what happens in a day), ``conversations`` and ``tenant`` (the day itself, a pure
function of seed and date), ``audio`` (real, decodable bytes), ``jobs`` (ripening), ``routes`` (the wire), ``media``
(the second port), ``faults`` (everything that may go wrong, by name), ``server``.
"""
