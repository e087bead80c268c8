"""Consensus: Raft, the whole of the paper's Figure 2 and section 8, on simulated servers and clients."""

from patterns.engine.table import Table

from .clients import Read, Server
from .cluster import RaftCluster, cluster_of, is_done
from .messages import (
    Add,
    AppendEntries,
    AppendEntriesReply,
    Command,
    Done,
    Entry,
    Get,
    NoOp,
    NotLeader,
    Put,
    RequestVote,
    RequestVoteReply,
    is_heartbeat,
)
from .properties import ALWAYS, FIGURE_3, heeds_heartbeats, settled
from .state_machine import Session, StateMachine

__all__ = [
    "ALWAYS",
    "FIGURE_3",
    "Add",
    "AppendEntries",
    "AppendEntriesReply",
    "Command",
    "Done",
    "Entry",
    "Get",
    "NoOp",
    "NotLeader",
    "Put",
    "RaftCluster",
    "Read",
    "RequestVote",
    "RequestVoteReply",
    "Server",
    "Session",
    "StateMachine",
    "Table",
    "cluster_of",
    "heeds_heartbeats",
    "is_done",
    "is_heartbeat",
    "settled",
]
