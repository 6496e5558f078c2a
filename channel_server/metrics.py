"""What has happened since the start, as plain counts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Metrics:
    """Counts since the start of the process.

    Attributes:
        messages: Messages from Redis that were delivered to a room, members or not.
        malformed: Messages that were refused.
        unaddressed: Messages without a room: delivered to nobody.
        deliveries: Packets written to clients.
        connects: Clients connected to the main namespace.
        anonymous: Those of them without a user.
        failed_lookups: Clients sent away because Redis did not answer.
        expired_tokens: Returning clients whose token Redis does not know any more.
        recovered: Returning clients that were given everything they missed.
        not_recovered: Those of which that is not certain.
        bad_claims: CONNECTs whose ``pid`` or ``offset`` cannot be right.
        replayed: Entries of the journal written to returning clients.
        gaps: Gaps of the journal that were read.
        degradations: How often the journal could not be written or read.
        overruns: How often entries of the journal were gone before this node has read them.
        junk_entries: Entries of the journal that this version does not understand.
        orders: Orders of the application that were carried out.
        bots_sent: Messages of bots that a homeserver has.
        bots_refused: Those that a homeserver does not take, or that were not sent to it because
            its address is private.
        bots_retries: Attempts after which another one follows.
        bots_expired: Messages that were too old to be sent.
        bots_overflowed: Messages that were dropped because too many waited.
        bots_malformed: Messages that were refused.
        bots_ignored: Messages on other channels than those we know.
        bots_waiting: Messages that wait to be sent by whichever node.
        collab_sockets: Clients of documents that are connected now.
        collab_documents: Documents that are open now.
        collab_updates: Changes of documents.
        collab_stores: How often a document was stored.
        collab_store_failures: How often that, or loading one, has failed.
        collab_denied: How often a client was denied a document.
    """

    messages: int = 0
    malformed: int = 0
    unaddressed: int = 0
    deliveries: int = 0
    connects: int = 0
    anonymous: int = 0
    failed_lookups: int = 0
    expired_tokens: int = 0
    recovered: int = 0
    not_recovered: int = 0
    bad_claims: int = 0
    replayed: int = 0
    gaps: int = 0
    degradations: int = 0
    overruns: int = 0
    junk_entries: int = 0
    orders: int = 0
    bots_sent: int = 0
    bots_refused: int = 0
    bots_retries: int = 0
    bots_expired: int = 0
    bots_overflowed: int = 0
    bots_malformed: int = 0
    bots_ignored: int = 0
    bots_waiting: int = 0
    collab_sockets: int = 0
    collab_documents: int = 0
    collab_updates: int = 0
    collab_stores: int = 0
    collab_store_failures: int = 0
    collab_denied: int = 0
