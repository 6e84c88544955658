"""What must not be forgotten: publications, revisions, deliveries. SQLAlchemy's only room."""

from calfeed.ledger.audit import Audit, Finding
from calfeed.ledger.channels import ChannelState
from calfeed.ledger.ledger import Ledger
from calfeed.ledger.processes import Sighting
from calfeed.ledger.publications import Current, Published
from calfeed.ledger.stats import Stats
from calfeed.ledger.values import Attempt, Claimed, Delivery, Result, Settlement, State

__all__ = [
    "Attempt",
    "Audit",
    "ChannelState",
    "Claimed",
    "Current",
    "Delivery",
    "Finding",
    "Ledger",
    "Published",
    "Result",
    "Settlement",
    "Sighting",
    "State",
    "Stats",
]
