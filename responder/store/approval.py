"""Approvals in a table."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.ids import ApprovalId, RunId
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.mark import Marked
from stanch.responder.store.row import build, values
from stanch.responder.store.table import approvals


class SqlApprovals:
    """The port ``Approvals`` over one connection. Rows are locked because the store is."""

    def __init__(self, connection: Connection, seal: LedgerSeal) -> None:
        self._connection = connection
        self._marked = Marked(connection, approvals, seal)

    def add(self, approval: Approval) -> None:
        """Insert."""
        self._connection.execute(insert(approvals).values(self._marked.values(values(approval))))

    def get(self, approval: ApprovalId) -> Approval | None:
        """One approval."""
        row = self._connection.execute(
            select(approvals).where(approvals.c.id == approval)
        ).one_or_none()
        return None if row is None else build(Approval, row)

    def of(self, run: RunId) -> tuple[Approval, ...]:
        """All approvals of a run, oldest first."""
        rows = self._connection.execute(
            select(approvals)
            .where(approvals.c.run == run)
            .order_by(approvals.c.asked_at, approvals.c.id)
        )
        return tuple(build(Approval, row) for row in rows)

    def save(self, approval: Approval) -> None:
        """Store a decision."""
        where = approvals.c.id == approval.id
        row = self._marked.over(where, values(approval))
        self._connection.execute(update(approvals).where(where).values(row))

    def overdue(self, now: datetime) -> tuple[Approval, ...]:
        """Open approvals past their expiry."""
        rows = self._connection.execute(
            select(approvals)
            .where(approvals.c.decision == Decision.OPEN, approvals.c.expires_at <= now)
            .order_by(approvals.c.expires_at, approvals.c.id)
        )
        return tuple(build(Approval, row) for row in rows)
