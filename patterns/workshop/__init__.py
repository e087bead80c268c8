"""Three tasks of growing size: write a process, and a judge tries every run of a small machine with it.

`fencing` has the solution of the workshop before them.

| task | you extend | machine | judge |
|---|---|---|---|
| Lamport's mutual exclusion | `mutex.Contender` | `mutex.Mutex` | `MUTEX` |
| gossip | `gossip.Gossiper` | `gossip.Gossip` | `GOSSIP` |
| Paxos for one value | `paxos.Node` | `paxos.Paxos` | `PAXOS` |

The judge puts the process into situations alone. Then it tries all runs of small machines, and random runs of a larger
one. The modules `..._judge` hold the right processes: try a task before you read them.
"""

from .gossip_judge import GOSSIP
from .judging import usual_run
from .mutex_judge import MUTEX
from .paxos_judge import PAXOS

EXERCISES = {exercise.name: exercise for exercise in (MUTEX, GOSSIP, PAXOS)}

__all__ = ["EXERCISES", "GOSSIP", "MUTEX", "PAXOS", "usual_run"]
