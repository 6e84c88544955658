"""plan → claim → send → settle; time is an argument, the ledger decides what is whose."""

from calfeed.deliver.deliverer import Deliverer
from calfeed.deliver.subscribers import Subscribers

__all__ = ["Deliverer", "Subscribers"]
