@0xd1a9c2f0b7e64a18;
# What controller and agent say to each other. Every frame is one Envelope; its payload is one of the other structs, named by
# the payload type. docs/formats/wire.md tells how the signed bytes are made.

using Cxx = import "/capnp/c++.capnp";
using Task = import "/schema/task.capnp".Task;
using Facts = import "/schema/task.capnp".Facts;
using RoleManifest = import "/schema/role.capnp".RoleManifest;
$Cxx.namespace("relab::schema");

struct Envelope {
  # Follows the DSSE convention: the signature covers the pre-authentication encoding of type and payload.
  payloadType @0 :Text;
  payload @1 :Data;
  # Exact bytes, verified before they are parsed and never encoded again.
  key @2 :Data;
  # The signer's Ed25519 public key, 32 bytes: says which pinned key to verify with, and is trusted for nothing else.
  signature @3 :Data;
  # Ed25519, 64 bytes.
}

enum Role {
  unset @0;
  controller @1;
  agent @2;
}

struct Identity {
  # Binds one party's three public keys to each other; signed with the first.
  role @0 :Role;
  name @1 :Text;
  signKey @2 :Data;
  # Ed25519: orders and reports.
  curveKey @3 :Data;
  # X25519: the CURVE transport.
  sealKey @4 :Data;
  # X25519: secrets sealed to this party.
  epoch @5 :UInt32;
  # Counts key changes of this party, from 1.
  machineId @6 :Text;
  # An agent's /etc/machine-id.
  agentRole @7 :Text;
  # The name of an agent's role manifest.
}

struct EnrolOffer {
  # Controller to agent, over a CURVE connection whose keys both derive from the one-time code.
  identity @0 :Data;
  # The controller's Envelope around its Identity.
  proof @1 :Data;
  # Keyed hash of `identity` and `lab` under the code.
  lab @2 :Text;
}

struct EnrolAnswer {
  identity @0 :Data;
  # The agent's Envelope around its Identity.
  proof @1 :Data;
  # Keyed hash of both identities under the code.
}

struct EnrolConfirm {
  # Controller to agent: I have your identity. The agent pins the controller only now.
  proof @0 :Data;
  # Keyed hash of both identities under the code, other than that of the answer.
}

struct EnrolDone {
  proof @0 :Data;
}

struct Attach {
  # Controller to agent, first on every connection.
  lab @0 :Text;
  challenge @1 :Data;
  # 16 random bytes that come back in the hello.
}

struct Countersigned {
  # An agent's word that it was shown this head of a controller's ledger; it keeps it. The controller shows the newest one
  # (a Checkpoint by itself), once it has seen that its ledger continues the one before.
  checkpoint @0 :Data;
  # The controller's Envelope around a Checkpoint.
  machineId @1 :Text;
  time @2 :UInt64;
  # By the agent's clock, unix milliseconds.
}

struct Hello {
  # Agent to controller: who and in what state I am.
  challenge @0 :Data;
  nonce @1 :Data;
  # 16 random bytes made at every start of the agent; every order must carry them.
  name @2 :Text;
  machineId @3 :Text;
  bootId @4 :Text;
  version @5 :Text;
  role @6 :Text;
  kinds @7 :List(Text);
  # Arms of the Task union that the role permits.
  time @8 :UInt64;
  # The agent's wall clock, unix milliseconds.
  uptime @9 :UInt64;
  # Milliseconds since boot.
  tasks @10 :List(Held);
  # Tasks in the agent's journal whose reports were not acknowledged yet.
  journal @11 :Data;
  # 16 random bytes made with the journal: another journal than the one that took a task knows nothing of it.
  checkpoint @12 :Data;
  # The newest head of this controller's ledger that this agent was shown, as its Envelope around Countersigned: a ledger whose end
  # was cut off since, or that was replaced, does not have it.
  freeBytes @13 :UInt64;
  # Free space under the journal.
  manifests @14 :List(RoleManifest);
  # Of its roles: all that it may be ordered. For people to read; what decides is the agent's own copy. Empty from an agent of
  # before this field, and where they are too large to be told.
}

struct Held {
  task @0 :Data;
  state @1 :State;
}

enum State {
  unset @0;
  accepted @1;
  running @2;
  finished @3;
  unconfirmed @4;
  # Applied; it is undone unless it is confirmed in time.
}

enum Mode {
  unset @0;
  check @1;
  # Observe and plan; change nothing.
  apply @2;
}

struct Order {
  lab @0 :Text;
  run @1 :Data;
  # UUIDv7, 16 bytes.
  taskId @2 :Data;
  # UUIDv7, 16 bytes. The same id is executed at most once.
  attempt @3 :UInt32;
  audience @4 :Data;
  # The Ed25519 public key of the one agent this order is for.
  nonce @5 :Data;
  # From that agent's hello of this session.
  issuedAt @6 :UInt64;
  # Unix milliseconds, by the controller's clock.
  notAfter @7 :UInt64;
  # Unix milliseconds: the agent refuses the order later than this.
  deadline @8 :UInt32;
  # Seconds that the task may run; the agent ends it then.
  mode @9 :Mode;
  task @10 :Task;
  step @11 :Text;
  # Where the order comes from: "0a/zfs/zfs", for logs.
  journal @12 :Data;
  # The journal that the agent had when this was ordered, from its hello.
  evidence @13 :List(Data);
  # For a kind with $needs: one signed report for each need, in the order of the needs, as they came.
  approval @14 :Data;
  # For a destructive kind: the Envelope around an Approval.
  confirmWithin @15 :UInt32;
  # For a commit-confirmed kind: seconds after which its change is undone unless it was confirmed.
  secrets @16 :List(SealedSecret);
  # Those that the task names in its $secret parameters, each once, and no other.
  delivery @17 :Delivery;
  # For a kind that hands something on to a guest.
}

struct Delivery {
  # What the agent of a host brings into a guest.
  controller @0 :Data;
  # Whom the guest's agent is to obey: the controller's Envelope around its Identity.
  expected @1 :Data;
  # Signing key of the agent that the controller knows by the guest's name; empty: none.
  parcels @2 :List(Parcel);
  # Files in reach; what they hold comes piece by piece, once it is wanted.
}

struct Parcel {
  name @0 :Text;
  # Of the file, relative to its folder: "relab-agent_0.5.0_amd64.deb", "bookworm/libzmq5_4.3.4-6_amd64.deb".
  sha256 @1 :Data;
  size @2 :UInt64;
  # Bytes.
}

struct Want {
  # Agent to controller: send that part of a parcel of this task's order. Asked again where no answer comes.
  taskId @0 :Data;
  sha256 @1 :Data;
  offset @2 :UInt64;
}

struct Piece {
  # Controller to agent: the part of the parcel from that offset on, as much as fits.
  taskId @0 :Data;
  nonce @1 :Data;
  sha256 @2 :Data;
  offset @3 :UInt64;
  bytes @4 :Data;
  missing @5 :Text;
  # Why it cannot be sent. Empty: it can.
}

struct SealedSecret {
  # A secret on its way: only the agent that the order is for can open it, and only for this task.
  name @0 :Text;
  box @1 :Data;
  # crypto_box_seal to the agent's sealKey; docs/formats/secrets.md tells what is in it.
  setAt @2 :UInt64;
  # Since when the controller has stored this value under that name: unix milliseconds. What was proven with one value says nothing of a
  # later one.
}

struct Approval {
  # A person's word that exactly this may be destroyed, on exactly this evidence. Signed by the controller.
  lab @0 :Text;
  phase @1 :Text;
  planDigest @2 :Data;
  # BLAKE2b-256 over every step of the phase: path, agent, task, times, instruction.
  evidenceDigest @3 :Data;
  # BLAKE2b-256 over the digests of all evidence of all steps.
  issuedAt @4 :UInt64;
  notAfter @5 :UInt64;
  # Unix milliseconds.
  steps @6 :List(ApprovedStep);
  typed @7 :List(Text);
  # The names of the hosts, as a person typed them.
}

struct ApprovedStep {
  step @0 :Text;
  audience @1 :Data;
  # The one agent that may do it, by its signing key.
  taskDigest @2 :Data;
  # BLAKE2b-256 of the canonical encoding of the Task.
  evidence @3 :List(Data);
  # Digests of the reports that were looked at, in the order of the needs.
}

struct Waiver {
  # A person's word that a phase may begin although this condition of its gate is not met. Signed by the controller.
  lab @0 :Text;
  phase @1 :Text;
  condition @2 :Text;
  of @3 :Text;
  # The phase that the condition is about: the phase itself, or one before it.
  reason @4 :Text;
  issuedAt @5 :UInt64;
  notAfter @6 :UInt64;
  unmet @7 :List(Text);
  # What was not met when it was given, by the subjects of the findings: it covers nothing else.
}

enum Refusal {
  none @0;
  wrongAudience @1;
  wrongSession @2;
  expired @3;
  wrongLab @4;
  unknownKind @5;
  kindForbidden @6;
  limitExceeded @7;
  taskConflict @8;
  # The task id is known with another task.
  busy @9;
  # As many tasks wait as the agent holds; send again later.
  draining @10;
  # The agent is about to stop.
  storeFailed @11;
  # The journal could not be written: the task was not accepted.
  malformed @12;
  needUnmet @13;
  # Evidence that the kind needs is missing, stale, of another machine or not the newest.
  notApproved @14;
  secretUnusable @15;
  # A secret that the task names is not in the order, cannot be opened, or was sealed for something else; or one is in the
  # order that the task does not name.
}

struct Receipt {
  # Agent to controller: an order was accepted into the journal, was known already, or was refused.
  taskId @0 :Data;
  orderDigest @1 :Data;
  # BLAKE2b-256 of the order's payload bytes.
  refusal @2 :Refusal;
  what @3 :Text;
  state @4 :State;
  # Of an accepted or known task.
}

struct Progress {
  taskId @0 :Data;
  done @1 :UInt64;
  total @2 :UInt64;
  # 0 where it is not known.
  unit @3 :Text;
  # "bytes", "steps".
  what @4 :Text;
  forPerson @5 :Text;
  # What a person has to do now; the task waits for it. Empty: nothing.
}

struct Unconfirmed {
  # Agent to controller: the change is made. Connect anew and confirm it, or it is undone.
  taskId @0 :Data;
  left @1 :UInt64;
  # Milliseconds until it is undone.
}

struct Confirm {
  # Controller to agent, over a connection that was made after the change.
  taskId @0 :Data;
  nonce @1 :Data;
}

enum Outcome {
  unset @0;
  succeeded @1;
  failed @2;
  refused @3;
  # The kind itself declined, before any change.
  cancelled @4;
  unknown @5;
  # The agent stopped while the task ran: nobody knows how far it came.
}

struct Failure {
  fault @0 :Text;
  what @1 :Text;
  hint @2 :Text;
}

struct Report {
  lab @0 :Text;
  run @1 :Data;
  taskId @2 :Data;
  attempt @3 :UInt32;
  orderDigest @4 :Data;
  # BLAKE2b-256 of the payload bytes of the order that was accepted.
  machineId @5 :Text;
  bootId @6 :Text;
  startedAt @7 :UInt64;
  # Unix milliseconds, by the agent's clock. 0: not known, the agent stopped while the task ran.
  endedAt @8 :UInt64;
  outcome @9 :Outcome;
  failure @10 :Failure;
  # Where the outcome is not `succeeded`.
  facts @11 :Facts;
  changes @12 :List(Text);
  # What was changed, in words; in check mode, what would be changed.
  # Behind "! ": what was not, and a person should know.
  log @13 :List(Text);
  # The last lines of the task's log: the commands it ran and how they ended.
  version @14 :Text;
  # Of the agent.
  mode @15 :Mode;
  # In which it was carried out.
}

struct Ack {
  # Controller to agent: the report is in the ledger; it need not be kept.
  taskId @0 :Data;
  reportDigest @1 :Data;
  # BLAKE2b-256 of the report's payload bytes.
}

struct Cancel {
  taskId @0 :Data;
  nonce @1 :Data;
}
