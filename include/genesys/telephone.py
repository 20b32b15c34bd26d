"""Telephone numbers in E.164, the one form in which the same number always looks the same; pure.

The rules of every numbering plan are those of Google's libphonenumber.
"""

from __future__ import annotations

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

NO_REGION = "ZZ"
"""Unknown or unspecified territory (Unicode CLDR): only numbers that begin with ``+`` can be read."""


def is_region(region: str) -> bool:
    """Whether numbers can be read as dialled there: an ISO 3166-1 country with a numbering plan, or ``ZZ``."""
    return region == NO_REGION or region in phonenumbers.SUPPORTED_REGIONS


def e164(address: str | None, region: str = NO_REGION) -> str | None:
    """Return the number of a bare address in E.164, ``None`` where it holds none.

    A number in its international form need only be possible, since carriers pass on more than the plans list. One
    without ``+`` must be valid in ``region``: an extension read as a subscriber's number would be somebody else's.

    >>> e164("+49 30 5612292"), e164("030 5612292", "DE"), e164("2001", "DE"), e164("+15550100@10.0.0.1:5060")
    ('+49305612292', '+49305612292', None, None)
    """
    text = (address or "").partition("@")[0]
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    is_international = text.lstrip().startswith("+")
    if is_international and phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None
    if not is_international and not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
