"""What must not be forgotten: publications, revisions, deliveries. SQLAlchemy's only room."""

from calfeed.ledger.channels import ChannelState
from calfeed.ledger.ledger import Ledger
from calfeed.ledger.processes import Sighting
from calfeed.ledger.publications import Current, Published
from calfeed.ledger.values import Attempt, Claimed, Delivery, Result, Settlement, State

__all__ = [
    "Attempt",
    "ChannelState",
    "Claimed",
    "Current",
    "Delivery",
    "Ledger",
    "Published",
    "Result",
    "Settlement",
    "Sighting",
    "State",
]
