"""Consensus: Raft, the whole of the paper's Figure 2 and section 8, on simulated servers and clients."""

from .clients import Server
from .cluster import RaftCluster
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
)
from .properties import ALWAYS

__all__ = [
    "ALWAYS",
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
    "RequestVote",
    "RequestVoteReply",
    "Server",
]
