"""plan → claim → send → settle; time is an argument, the ledger decides what is whose."""

from calfeed.deliver.deliverer import Deliverer

__all__ = ["Deliverer"]
