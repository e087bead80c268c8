"""Every rule of Raft that fires here, as a sentence: what happened, why, and where it is written.

`Raft` is Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm (Extended Version)", 2014;
`thesis` is Ongaro, "Consensus: Bridging Theory and Practice", 2014. The sentences are ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from patterns.engine.step import Rule

RULES: Mapping[str, Rule] = {
    # Rules for servers
    "ALL.1": Rule("**{who} applies entry {index}** to its state machine: {entry.command}.", "Raft 5.3, All Servers 1"),
    "ALL.2": Rule(
        "**{who} enters term {term}**, the term of {sender}'s message, after term {old_term}.",
        "Raft 5.1, All Servers 2",
    ),
    "ALL.2.down": Rule(
        "**{who} steps down** and enters term {term}, the newer term of {sender}'s message, as a follower. It was "
        "{role:a|leader} in term {old_term}.",
        "Raft 5.1, All Servers 2",
    ),
    "ALL.late": Rule(
        "**{who} ignores** {sender}'s answer of term {term}: {who} is {role:a|leader} in term {current_term}.",
        "Raft 5.1 and 5.2",
    ),
    "UP": Rule(
        "**{who} is back**, a follower in term {term}. From its disk: its vote in that term ({voted_for:or|none}) and "
        "a log of length {length}. It must learn anew how much is committed.",
        "Raft 5.1, Figure 2: State",
    ),
    "F.2": Rule(
        "**{who} starts an election**: its election timer ran out before it heard from a leader. It becomes a "
        "candidate in term {term}, votes for itself and asks the others.",
        "Raft 5.2, Followers 2 and Candidates 1",
    ),
    "C.4": Rule(
        "**{who} starts over in term {term}**, votes for itself and asks again. In term {old_term} it got {count} of "
        "the {needed} votes it needed, and heard from no other winner.",
        "Raft 5.2, Candidates 4",
    ),
    # RequestVote, the receiver
    "RV.1": Rule(
        "**{who} refuses** {candidate} its vote in term {term}: {who} is already in **term {current_term}**.",
        "Raft 5.1, RequestVote rule 1",
    ),
    "RV.2.voted": Rule(
        "**{who} refuses** {candidate} its vote in term {term}: it **already voted for {voted_for}** in this term.",
        "Raft 5.2, RequestVote rule 2",
    ),
    "RV.2.log": Rule(
        "**{who} refuses** {candidate} its vote in term {term}: **its own log is more up-to-date**. It ends with term "
        "{own_term} at index {own_index}, {candidate}'s with term {last_log_term} at index {last_log_index}.",
        "Raft 5.4.1, RequestVote rule 2",
    ),
    "RV.2": Rule(
        "**{who} votes for {candidate}** in term {term}: its vote is free, and {candidate}'s log is at least as "
        "up-to-date as its own.",
        "Raft 5.2 and 5.4.1, RequestVote rule 2",
    ),
    # The candidate
    "C.vote": Rule("**{who} has {count} of the {needed} votes** it needs in term {term}: {voter} votes.", "Raft 5.2"),
    "C.again": Rule("**{who} counts {voter}'s vote once**: it still has {count} of {needed}.", "Raft 5.2"),
    "C.refused": Rule("**{voter} gives {who} no vote** in term {term}: it has {count} of {needed}.", "Raft 5.2"),
    "C.2": Rule(
        "**{who} becomes leader of term {term}**: {voters:names} voted for it, {count} of {servers} servers, a "
        "majority. It sends to all others at once.",
        "Raft 5.2, Candidates 2 and Leaders 1",
    ),
    "C.3": Rule("**{who} is a follower** in term {term}: {leader} has won this term.", "Raft 5.2, Candidates 3"),
    # AppendEntries, the receiver
    "AE.0": Rule("**{who} hears from {leader}**, leader of term {term}. Its election timer starts again.", "Raft 5.2"),
    "AE.1": Rule(
        "**{who} refuses {leader}'s entries** of term {term}: {who} is already in **term {current_term}**.",
        "Raft 5.1, AppendEntries rule 1",
    ),
    "AE.2.short": Rule(
        "**{who} refuses {leader}'s entries**: they follow index {prev_log_index}, and **its log ends at {length}**. "
        "It asks for the entries from {conflict_index} on.",
        "Raft 5.3, AppendEntries rule 2",
    ),
    "AE.2": Rule(
        "**{who} refuses {leader}'s entries**: at index {prev_log_index} {leader} has term {prev_log_term}, **{who} "
        "has term {conflict_term}**. It asks for the entries from {conflict_index} on, the first of that term.",
        "Raft 5.3, AppendEntries rule 2 and the fast back-up",
    ),
    "AE.3": Rule(
        "**{who} deletes {count:entry|entries}** from index {index} on: there it has term {old_term}, and the leader "
        "{leader} has term {new_term}.",
        "Raft 5.3, AppendEntries rule 3",
    ),
    "AE.4": Rule(
        "**{who} appends {count:entry|entries} from {leader}**: its log now ends at {index}, in term {entry_term}.",
        "Raft 5.3, AppendEntries rule 4",
    ),
    "AE.5": Rule(
        "**{who} learns that all entries up to index {index} are committed**: {leader} has committed up to "
        "{leader_commit}, and their logs are known to agree up to {last_new}.",
        "Raft 5.3, AppendEntries rule 5",
    ),
    # The leader
    "L.0": Rule("**{who} appends a no-op** of its term {term}: it will show what is committed.", "Raft 8"),
    "L.1": Rule("**{who} sends heartbeats**, so that the others start no election.", "Raft 5.2, Leaders 1"),
    "L.2": Rule(
        "**{who} appends {client}'s {request}** to its log at index {index}, term {term}, and sends it to the others. "
        "It answers when the entry is applied.",
        "Raft 5.3, Leaders 2",
    ),
    "L.3": Rule("**{who} knows that {follower}'s log agrees** up to index {match_index}.", "Raft 5.3, Leaders 3"),
    "L.3.same": Rule(
        "**{who} hears from {follower}**: their logs agree up to index {match_index}, as before.", "Raft 5.3, Leaders 3"
    ),
    "L.3.back": Rule(
        "**{who} goes back to index {next_index} for {follower}**: their logs differ at {prev_log_index}.",
        "Raft 5.3, Leaders 3 and the fast back-up",
    ),
    "L.4": Rule(
        "**{who} commits all entries up to index {index}**: {holders:names} hold entry {index}, {count} of {servers} "
        "servers, and it is of {who}'s own term {term}.",
        "Raft 5.3 and 5.4.2, Leaders 4",
    ),
    "L.4.old": Rule(
        "**{who} does not commit entry {index}** yet, though {holders:names} hold it: it is of **term {entry_term}**, "
        "and a leader counts copies only of entries of its own term, {term}.",
        "Raft 5.4.2, Figure 8",
    ),
    # Clients
    "CL.redirect": Rule(
        "**{who} is {role:a|leader}** and does not take {client}'s request. It says: ask {hint:or|another server}.",
        "Raft 8",
    ),
    "CL.session": Rule(
        "**{who} answers {client}'s retry** at once: request {serial} was executed, the session holds {value}.",
        "Raft 8, thesis 6.3",
    ),
    "CL.twice": Rule(
        "**{who} does not execute entry {index} again**: {client}'s request {serial} was executed already.",
        "Raft 8, thesis 6.3",
    ),
    "CL.done": Rule(
        "**{who} answers {client}**: {request} is committed and executed, the value is {value}.", "Raft 5.3, Leaders 2"
    ),
    "RI.1": Rule(
        "**{who} holds back {client}'s read** until a majority confirms its lead and entry {read_index} is applied.",
        "Raft 8, thesis 6.4",
    ),
    "RI.2": Rule(
        "**{who} answers {client}'s read** of {key}: {value:or|nothing}. A majority confirmed that it still leads.",
        "Raft 8, thesis 6.4",
    ),
}
