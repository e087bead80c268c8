"""The one glossary: every term in English and Chinese, with a line that says what it means, and its chapters.

    terms("consistent_hashing")       the terms of one chapter, a table where a notebook shows it
    term("virtual node").chinese      '虚拟节点'

A later chapter adds its name to the terms it shares, and its own terms below them. `index` is the chapter of terms
that all of them use.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload


class Term(NamedTuple):
    """A term of the field."""

    english: str
    chinese: str
    meaning: str
    chapters: tuple[str, ...]
    """The patterns whose chapter uses it, by their one name; `index` for those that all use."""


class Terms(Sequence[Term]):
    """Some terms of the glossary: a sequence of `Term`, and a table where a notebook shows it."""

    def __init__(self, listed: Sequence[Term]) -> None:
        self._listed = tuple(listed)

    @overload
    def __getitem__(self, at: int) -> Term: ...
    @overload
    def __getitem__(self, at: slice) -> Terms: ...
    def __getitem__(self, at: int | slice) -> Term | Terms:
        return self._listed[at] if isinstance(at, int) else Terms(self._listed[at])

    def __len__(self) -> int:
        return len(self._listed)

    def __iter__(self) -> Iterator[Term]:
        return iter(self._listed)

    def _repr_markdown_(self) -> str:
        rows = (f"| **{term.english}** | {term.chinese} | {term.meaning} |" for term in self)
        return "\n".join(("| Term | 术语 | Meaning |", "|:--|:--|:--|", *rows))

    def __repr__(self) -> str:
        return "\n".join(f"{term.english} ({term.chinese}): {term.meaning}" for term in self)


def terms(chapter: str = "") -> Terms:
    """The terms of a chapter in the order they are met; all of them, by their English names, where none is given.

    Raises ValueError for a chapter that has no terms.
    """
    if not chapter:
        return Terms(sorted(GLOSSARY, key=lambda term: term.english.lower()))
    found = [term for term in GLOSSARY if chapter in term.chapters]
    if not found:
        chapters = sorted({name for term in GLOSSARY for name in term.chapters})
        raise ValueError(f"chapter is {chapter!r}; there are terms of {', '.join(chapters)}")
    return Terms(found)


def term(english: str) -> Term:
    """The term of this English name. Raises KeyError."""
    for known in GLOSSARY:
        if known.english.lower() == english.lower():
            return known
    raise KeyError(f"term {english!r} is not in the glossary")


def _read(chapter: str, table: str) -> tuple[Term, ...]:
    """The terms of a chapter's table: `english | chinese | meaning`, a line each, and `| other chapters` it is in."""
    rows = [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]
    return tuple(
        Term(english, chinese, meaning, (chapter, *" ".join(others).split()))
        for english, chinese, meaning, *others in rows
    )


GLOSSARY = (
    *_read(
        "index",
        """
distributed pattern | 分布式模式 | a proven way for several machines to do one job
consistent hashing | 一致性哈希 | a rule from keys to nodes that moves few keys when nodes change | consistent_hashing
replication | 复制 | the same data on several machines, so that it outlives one of them
sharding | 分片 | data cut into parts by key, each part on a machine of its own
leader election | 领导者选举 | agree which machine leads, and notice when it is gone | consensus_raft leader_election
consensus | 共识 | machines agree on one value, or one order of values, though some of them fail | consensus_raft
two-phase commit | 两阶段提交 | all take part or none: first everyone promises, then everyone does
saga | Saga 长事务 | a long transaction as local steps, each with a step that makes up for it
event sourcing | 事件溯源 | keep what happened, not what is; the state is worked out from the events
CQRS | 命令查询职责分离 | one model to change data, other models to read it
node | 节点 | one of the machines | consistent_hashing consensus_raft
state | 状态 | everything that is so at one moment, as a value
event | 事件 | something that happens to a state and makes the next one
invariant | 不变量 | what holds in every state; one state in which it does not is a bug
counterexample | 反例 | a run that breaks an invariant, as short as can be found
exhaustive check | 穷举检验 | every run of a small machine, so that no order of events is overlooked
replay code | 重放码 | one line from which the same run is rebuilt
""",
    ),
    *_read(
        "consistent_hashing",
        """
key | 键 | the name under which something is stored or cached
router | 路由 | whatever decides which node a key goes to: a client library, a proxy, a load balancer
modulo hashing | 取模哈希 | the node is hash mod N; when N changes, nearly every key moves
hash ring | 哈希环 | the hash values as a circle, on which nodes have points and keys stand
position | 位置 | where a key or a point stands on the circle: its hash
point | 点 | a position on the circle that belongs to a node: the hash of the node's name and a number
owner | 属主节点 | the node of the first point clockwise from a key
virtual node | 虚拟节点 | one of the many points that a node has on the circle; Cassandra says token
arc | 弧段 | the positions between two neighbouring points; it belongs to the point at its end
weight | 权重 | how much a node should carry, beside an ordinary one; it has that many times the points
preference list | 偏好列表 | the first n distinct nodes clockwise from a key: where its copies go
rack | 机架 | machines that fail together: one switch, one power supply, one zone
load | 负载 | how many keys, or requests, a node has
balance | 均衡性 | how near the fullest node is to the average one
bounded loads | 有界负载 | no node takes more than (1 + ε) times the average; what is too much goes on clockwise
minimal disruption | 最小扰动 | a change of nodes moves only keys that have to move; Karger: monotonicity, 单调性
hit, miss | 命中、未命中 | the cache has what it is asked for, or has to fetch it from behind
cold cache | 冷缓存 | a cache that holds nothing it is asked for, so that all the load falls on the database
avalanche | 雪崩效应 | one bit of the input changes half the bits of a hash; what lacks it cannot place keys
rendezvous hashing | 最高随机权重哈希 | every node draws a number for the key and the highest wins (HRW)
jump consistent hash | 跳跃一致性哈希 | a key jumps from bucket to bucket as their number grows; no memory at all
Maglev hashing | Maglev 哈希 | nodes fill a table in turns; a lookup is one look into it
multi-probe consistent hashing | 多探针一致性哈希 | one point a node, several positions a key; the nearest point wins
hot key | 热点键 | a key so much in demand that its node is busy with it alone; no placement of keys helps
""",
    ),
    *_read(
        "consensus_raft",
        """
replicated log | 复制日志 | the same commands in the same order on every machine
log | 日志 | commands or records in the order in which they were written | two_phase_commit saga
committed entry | 已提交条目 | an entry that a majority has on disk: it will never change
replicated state machine | 复制状态机 | machines that apply the same log to the same start, and so agree
log entry | 日志条目 | a command in the log, with the term in which a leader received it
term | 任期 | a number that only grows; in each at most one leader is elected | leader_election
leader | 领导者 | the one that takes requests, appends them to its log and has the others copy it
follower | 跟随者 | answers leaders and candidates, and asks nothing itself
candidate | 候选人 | asks for votes, because it has not heard of a leader for too long
election timeout | 选举超时 | how long a follower waits for word of a leader; random, so that one is first
heartbeat | 心跳 | an empty AppendEntries: the leader is still there
RequestVote | 请求投票 | a candidate's message: vote for me in this term, my log ends here
AppendEntries | 追加条目 | the leader's message: entries, and the one they must follow
split vote | 选票瓜分 | nobody has a majority in this term; a timeout begins the next
majority | 多数派 | more than half: any two of them have a machine in common | leader_election
quorum | 法定人数 | enough machines that no other enough can decide without one of them
commit index | 提交索引 | up to here the log is on a majority and will never change
up to date | 日志更新 | of two logs, the one whose last entry has the later term, then the longer one
durable state | 持久化状态 | term, vote and log: written to disk before anything is answered
crash | 崩溃 | a machine stops, keeps its disk and forgets its memory | leader_election two_phase_commit saga
network partition | 网络分区 | machines run, but messages between some of them do not arrive | leader_election
split brain | 脑裂 | two that both believe they are in charge; the disaster that terms rule out | leader_election
election safety | 选举安全性 | at most one leader in a term (Raft 5.2)
leader append-only | 领导者只追加 | a leader never overwrites or deletes entries of its own log (Raft 5.3)
log matching | 日志匹配 | two logs with an entry of one index and term are the same up to it (Raft 5.3)
leader completeness | 领导者完全性 | a committed entry is in the log of every later leader (Raft 5.4)
state machine safety | 状态机安全性 | no two machines apply different commands at one index (Raft 5.4.3)
safety | 安全性 | nothing bad ever happens | leader_election
liveness | 活性 | something good happens in the end | leader_election
linearizability | 线性一致性 | every request seems to happen at one moment between its call and its answer
log compaction | 日志压缩 | a snapshot of the state takes the place of the entries that led to it
snapshot | 快照 | the state at one index, kept so that the log before it can go
membership change | 成员变更 | machines join or leave the cluster while it runs
joint consensus | 联合共识 | a change of members in which both the old and the new majority must agree
pre-vote | 预投票 | asks whether it would win before it begins a term, so as not to disturb a leader
read index | 读索引 | a read without a log entry: the leader makes sure that it still leads
no-op entry | 空操作条目 | an entry that does nothing; a new leader commits it, and with it what came before
space-time diagram | 时空图 | one line for each process, one arrow for each message; time runs along the lines
""",
    ),
    *_read(
        "leader_election",
        """
coordinator | 协调者 | the leader in the bully algorithm's words: the highest id that is alive
bully algorithm | 霸道选举算法 | who is alive and has the highest id takes over, whoever leads now (Garcia-Molina 1982)
ring election | 环选举 | ids go round a ring of processes; who gets its own back has won
message complexity | 消息复杂度 | how many messages an algorithm needs, as a function of the number of processes
synchronous system | 同步系统 | one in which a message and its answer come within a known time
failure detector | 故障检测器 | whatever says who has crashed; with timeouts alone it may be wrong
false suspicion | 误判 | taking a process for crashed that only is slow or cut off
epoch | 纪元 | a number for the reign of one leader, which only grows; Raft says term
lease | 租约 | a lock that runs out by itself after a time, unless it is renewed
lock server | 锁服务 | what grants the lease; in production itself a group that agrees by consensus
clock drift | 时钟漂移 | two clocks do not run at the same rate
process pause | 进程暂停 | a process stands still, in a garbage collection for one, and does not notice
fencing token | 隔离令牌 | a number that grows with every lease; who writes shows it (Kleppmann 2016; Chubby: sequencer)
fencing | 隔离 | the storage refuses whoever comes with an older token than it has seen
lost update | 丢失更新 | a write that was acknowledged is undone by one that did not know of it | saga
""",
    ),
    *_read(
        "two_phase_commit",
        """
distributed transaction | 分布式事务 | one change of several databases, which must happen in all or in none | saga
atomic commitment | 原子提交 | all come to the same decision, commit or abort, whatever crashes
transaction coordinator | 事务协调者 | asks all for their votes, decides, and makes sure that all learn of it
participant | 参与者 | a database that takes part: it votes, and then does what was decided
prepare | 准备 | the first phase: can you promise to commit, whatever happens to you
vote | 投票 | yes: I can still do both, commit and abort, and have it on disk; no: I abort
decision | 决议 | commit if all voted yes, else abort; once made it stays
commit | 提交 | the decision that all parts of a transaction take effect | saga
abort | 中止 | the decision that no part of a transaction takes effect | saga
acknowledgement | 确认 | I have the decision on disk, so you may forget it
in doubt | 不确定状态 | voted yes and not told the decision: may neither commit nor abort
blocking | 阻塞 | those in doubt can only wait until somebody who knows the decision is back
forced write | 强制写盘 | a log record that is on the disk before the next message is sent
write-ahead log | 预写日志 | what is to be done is on disk before it is done, so that it can be done again
lock | 锁 | nobody else may read or write the row until the transaction is decided | saga
lock timeout | 锁等待超时 | how long a transaction waits for a row before it is given up; it also ends deadlocks
recovery | 恢复 | after a crash the log tells what was promised and what was decided | saga
presumption | 推定 | the answer for a transaction that the coordinator does not know, fixed in advance
presumed abort | 假定中止 | who finds nothing in the coordinator's log takes the decision for abort
presumed commit | 假定提交 | who finds nothing takes it for commit; so each beginning has to be logged first
read-only participant | 只读参与者 | has nothing to undo: it votes so, lets go of its locks, and needs no second phase
cooperative termination | 协作终止 | those in doubt ask one another; whoever knows, or has not voted, can end it
three-phase commit | 三阶段提交 | a phase between vote and commit, so that no one commits while another is in doubt
pre-commit | 预提交 | the message between vote and commit: all have voted yes
heuristic decision | 启发式决定 | an operator decides for a database in doubt, and may break atomicity
""",
    ),
    *_read(
        "saga",
        """
local transaction | 本地事务 | a transaction inside one service's own database
service | 服务 | a program with a database of its own, which runs some steps of sagas
compensation | 补偿 | a transaction that makes up for one that is committed: what it meant, not that it was
compensatable step | 可补偿步骤 | a step that has a compensation, should a later one fail
pivot | 枢轴步骤 | the point of no return: once it is done the saga can only go forward
retriable step | 可重试步骤 | a step that is repeated until it succeeds, since there is no way back
backward recovery | 向后恢复 | the steps that were done are compensated, the last one first
forward recovery | 向前恢复 | the saga goes on from where it stopped until it is complete
orchestration | 编排 | one process tells each service what to do next, and keeps the saga's log
choreography | 协同 | nobody is in charge: each service does its part when it hears that the one before has
saga log | Saga 日志 | what was begun and what is done, on disk, so that a crash does not lose a saga
idempotence | 幂等性 | doing it twice is the same as doing it once
idempotency key | 幂等键 | a name that a request keeps through all its retries, so that its second copy is recognised
at-least-once delivery | 至少一次投递 | what is not acknowledged is sent again, so it may arrive twice
backoff | 退避 | each retry waits longer than the one before
transactional outbox | 事务性发件箱 | the message is a row, written with the data, sent from there
isolation | 隔离性 | what a transaction has half done nobody else sees; a saga has none
dirty read | 脏读 | reading what a saga has written and may still take back
semantic lock | 语义锁 | a mark on a row: a saga is at work here, do not rely on it
commutative updates | 可交换更新 | changes that come to the same in any order: add 5, take 3
re-read value | 重读值 | before writing, look whether the value is still the one that was read
pessimistic view | 悲观视图 | the steps in an order in which a dirty read does least harm
version file | 版本文件 | what was asked for is kept, so that what comes out of order can be put in order
""",
    ),
)
