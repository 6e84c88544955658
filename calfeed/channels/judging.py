"""What all channels have in common when they judge an answer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from calfeed.channels.base import Answer, Fault, Outcome, Verdict

LONGEST_WAIT = 86400.0
"""No receiver can ask for more than a day: by then the delivery is given up."""

_AGAIN = frozenset({408, 425, 429})
_FAULTS = {
    "timeout": "no whole answer within the time-out",
    "connect": "the connection failed",
    "dns": "the host name could not be resolved",
    "tls": "the TLS handshake failed",
    "protocol": "the connection broke, or what came was not HTTP",
    "refused": "the address may not be used",
    "missing": "a library is missing",
}


def judge_by_status(answer: Answer | Fault, at: datetime, *, broken: frozenset[int] = frozenset({410})) -> Verdict:
    """The verdict that status alone gives: 2xx sent, 408, 425, 429, 3xx, 5xx and faults again, other 4xx never.

    ``broken`` are the statuses that mean the end of the channel.
    """
    if isinstance(answer, Fault):
        return judge_fault(answer)
    outcome = _outcome(answer.status, broken)
    hint = ": redirects are not followed, set the final URL" if 300 <= answer.status < 400 else ""
    wait = retry_after(answer.headers, at) if outcome is Outcome.RETRY else None
    return Verdict(outcome=outcome, reason=f"answered {answer.status}{hint}", retry_after=wait)


def _outcome(status: int, broken: frozenset[int]) -> Outcome:
    if 200 <= status < 300:
        return Outcome.SENT
    if status in broken:
        return Outcome.BROKEN_CHANNEL
    if 400 <= status < 500 and status not in _AGAIN:
        return Outcome.REJECTED_MESSAGE
    return Outcome.RETRY


def judge_fault(fault: Fault) -> Verdict:
    """No answer: again, unless the address itself was refused."""
    reason = _FAULTS[fault.kind] + (f" ({fault.detail})" if fault.detail else "")
    outcome = Outcome.BROKEN_CHANNEL if fault.kind == "refused" else Outcome.RETRY
    return Verdict(outcome=outcome, reason=reason)


def retry_after(headers: Mapping[str, str], at: datetime) -> float | None:
    """Seconds to wait by ``Retry-After`` (RFC 9110 §10.2.3: seconds or a date), within a day; None without one."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)  # a fraction is not in the RFC, but vendors send them
    except ValueError:
        seconds = _until(value, at)
    return clamp(seconds)


def clamp(seconds: float) -> float | None:
    """The wait within [0, a day]; None for what is no number."""
    within = min(max(seconds, 0.0), LONGEST_WAIT)  # first of all: JSON has whole numbers that no float can hold
    return None if math.isnan(within) else float(within)


def _until(value: str, at: datetime) -> float:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return float("nan")
    if moment.tzinfo is None:  # "-0000": RFC 9110 dates are GMT
        moment = moment.replace(tzinfo=UTC)
    return (moment - at).total_seconds()
