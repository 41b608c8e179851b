@0xd1a9c2f0b7e64a15;
# The ledger's entries: the controller's append-only record, from which its whole state is rebuilt.

using Cxx = import "/capnp/c++.capnp";
$Cxx.namespace("relab::schema");

struct Entry {
  time @0 :UInt64;
  # Unix milliseconds, by the controller's clock.
  union {
    unset @1 :Void;
    created @2 :Created;
    enrolled @3 :Enrolled;
    removed @4 :Removed;
    runStarted @5 :RunStarted;
    ordered @6 :Signed;
    # An order, before it is sent.
    received @7 :Signed;
    # A report, before it is acknowledged.
    refused @8 :Signed;
    # An agent's receipt that refuses an order.
    abandoned @9 :Abandoned;
    judged @10 :Judged;
    checkpoint @11 :Signed;
    # A signed Checkpoint over all entries before this one.
    runEnded @12 :RunEnded;
    cancelAsked @13 :CancelAsked;
    approved @14 :Signed;
    # A signed Approval.
    waived @15 :Signed;
    # A signed Waiver.
    confirmed @16 :Confirmed;
    # Before the agent is told.
  }
}

struct Created {
  lab @0 :Text;
  identity @1 :Data;
  # The controller's Envelope around its Identity.
}

struct Enrolled {
  name @0 :Text;
  endpoint @1 :Text;
  identity @2 :Data;
  # The agent's Envelope around its Identity.
  reinstalled @3 :Bool;
  # It is the same host as before under this name, reinstalled by the plan: what was done by its key before still counts.
  origin @4 :Data;
  # BLAKE2b-256 of the payload bytes of the report with which its host's agent brought the identity. Empty: a person brought it, by a
  # one-time code.
}

struct Removed {
  name @0 :Text;
  reason @1 :Text;
}

struct RunStarted {
  run @0 :Data;
  phase @1 :Text;
  lab @2 :Data;
  # The compiled lab, as a Lab message.
  labDigest @3 :Data;
  check @4 :Bool;
  # Everything is ordered in check mode: nothing is changed.
  track @5 :Text;
  # The one track that was asked for. Empty: the whole phase.
}

struct Signed {
  envelope @0 :Data;
  # The exact bytes that were sent or received.
}

struct Abandoned {
  # The controller stopped waiting for a task; it may still run and report.
  taskId @0 :Data;
  why @1 :Text;
  reason @2 :Reason;

  enum Reason {
    unset @0;
    overdue @1;
    # No report came within the deadline.
    journalLost @2;
    # The agent lost its journal: another attempt may be made where the kind converges.
    labChanged @3;
    cancelled @4;
    # It was cancelled, and the agent never had it.
  }
}

struct CancelAsked {
  # A person wants a task ended, or a run with all its tasks.
  taskId @0 :Data;
  # Empty: the run.
  run @1 :Data;
}

struct Confirmed {
  # The agent answered over a new connection after its change: the change stays.
  taskId @0 :Data;
}

struct Judged {
  phase @0 :Text;
  open @1 :Bool;
  conditions @2 :List(Verdict);
}

struct Verdict {
  condition @0 :Text;
  met @1 :Bool;
  findings @2 :List(Finding);
  of @3 :Text;
  # The phase that the condition is about.
  absolute @4 :Bool;
  # Nobody can waive it.
  waived @5 :Text;
  # The reason why the gate counts it as met although it is not. Empty: it is not waived.
}

struct Finding {
  subject @0 :Text;
  # What was looked at: a section of the audit, say.
  met @1 :Bool;
  why @2 :Text;
  supply @3 :Text;
  # The command that would supply what is missing.
  taskId @4 :Data;
  # The report that was judged, if any.
  standing @5 :Standing;
  agent @6 :Text;
  reportDigest @7 :Data;
  endedAt @8 :UInt64;
  # When the task ended, unix milliseconds by the agent's clock.
}

enum Standing {
  unset @0;
  met @1;
  missing @2;
  # There is no evidence.
  stale @3;
  # It is too old.
  contradicted @4;
  # Something later speaks against it.
  unmet @5;
  # It shows that the condition does not hold.
}

struct RunEnded {
  run @0 :Data;
  succeeded @1 :UInt32;
  failed @2 :UInt32;
  missing @3 :UInt32;
  # Tasks without a report.
}

struct Checkpoint {
  lab @0 :Text;
  entries @1 :UInt64;
  # How many entries the head covers.
  head @2 :Data;
  # The chain's hash after them.
  time @3 :UInt64;
}
