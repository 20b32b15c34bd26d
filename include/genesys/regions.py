"""The regions of Genesys Cloud, by domain.

Source: ``purecloud_region_hosts.py`` of the official Python SDK 269.0.0. The API lives at ``api.<domain>``, the login
server at ``login.<domain>``.
"""

from __future__ import annotations

REGION_DOMAINS: dict[str, str] = {
    "mypurecloud.com": "us-east-1",
    "mypurecloud.ie": "eu-west-1",
    "mypurecloud.com.au": "ap-southeast-2",
    "mypurecloud.jp": "ap-northeast-1",
    "mypurecloud.de": "eu-central-1",
    "usw2.pure.cloud": "us-west-2",
    "cac1.pure.cloud": "ca-central-1",
    "apne2.pure.cloud": "ap-northeast-2",
    "apse1.pure.cloud": "ap-southeast-1",
    "euw2.pure.cloud": "eu-west-2",
    "aps1.pure.cloud": "ap-south-1",
    "use2.us-gov-pure.cloud": "us-east-2",
    "sae1.pure.cloud": "sa-east-1",
    "mec1.pure.cloud": "me-central-1",
    "apne3.pure.cloud": "ap-northeast-3",
    "euc2.pure.cloud": "eu-central-2",
    "mxc1.pure.cloud": "mx-central-1",
    "edee1.eusc-pure.cloud": "eusc-de-east-1",
}
"""Domain of each region to the AWS region behind it."""

SERVICE_PREFIXES = ("api.", "login.", "apps.")


def region_of(host: str) -> str | None:
    """Return the region domain that ``host`` belongs to, or ``None`` for any other host.

    >>> region_of("api.mypurecloud.ie")
    'mypurecloud.ie'
    >>> region_of("api.mypurecloud.ie.evil.example") is None
    True
    """
    name = host.strip().rstrip(".").lower()
    for prefix in SERVICE_PREFIXES:
        name = name.removeprefix(prefix)
    return name if name in REGION_DOMAINS else None
