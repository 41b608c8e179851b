#pragma once

/// A ledger's entries in the making: an agent is enrolled, ordered, heard, at times that a test
/// gives.

#include <string>

#include "common/crypto/identity.h"
#include "common/reflect/secrets.h"
#include "controller/state/state.h"
#include "tests/support/must.h"

namespace relab::controller {

inline crypto::Keys fixed_keys(std::uint8_t seed) {
  crypto::start();
  return must(crypto::Keys::from(Bytes(crypto::Keys::secret_size, seed)));
}

inline TaskId task_number(std::uint8_t number) {
  TaskId id;
  id.bytes.back() = number;
  return id;
}

inline const RunId the_run = {.bytes = {7}};
inline const Instant the_secrets_since = instant_of(1'750'000'000'000);

/// What an order says, where a test wants it otherwise.
struct OrderParts {
  TaskId task = {};
  std::string arm = "ping";
  RunId run = the_run;
  std::uint32_t attempt = 1;
  std::string step = "0a/track/step";
  schema::Mode mode = schema::Mode::APPLY;
  /// JSON of the parameters.
  std::string params = "{}";
  /// Since when its secrets had the values that it brings.
  Instant secrets_since = the_secrets_since;
};

/// What a report says, where a test wants it otherwise.
struct ReportParts {
  TaskId task = {};
  RunId run = the_run;
  schema::Outcome outcome = schema::Outcome::SUCCEEDED;
  /// The JSON of the facts; none: an empty section of the arm that was ordered.
  std::string facts = {};
  std::string machine_id = "0123456789abcdef0123456789abcdef";
  std::string failure = {};
  /// Of the failure.
  Fault fault = Fault::damaged;
  schema::Mode mode = schema::Mode::APPLY;
  std::vector<std::string> changes = {};
};

class Records {
 public:
  Records() {
    Draft<schema::Entry> entry;
    auto created = entry->initCreated();
    created.setLab("home");
    created.setIdentity(
        blob(state_identity(controller, {.role = schema::Role::CONTROLLER, .name = "admin"})));
    must(add(std::move(entry)));
  }

  void enrol(const std::string& name, const crypto::Keys& keys,
             const std::string& machine_id = ReportParts().machine_id, bool reinstalled = false) {
    Draft<schema::Entry> entry;
    auto enrolled = entry->initEnrolled();
    enrolled.setName(name);
    enrolled.setEndpoint("tcp://10.42.10.2:7460");
    enrolled.setIdentity(blob(state_identity(keys, {.role = schema::Role::AGENT,
                                                    .name = name,
                                                    .machine_id = machine_id,
                                                    .agent_role = "host"})));
    enrolled.setReinstalled(reinstalled);
    must(add(std::move(entry)));
  }

  /// Orders the task from whoever has these keys; the digest binds a report to this order.
  crypto::Digest order(const OrderParts& parts, const crypto::Keys& audience) {
    Draft<schema::Order> order;
    order->setLab("home");
    order->setRun(blob(parts.run.bytes));
    order->setTaskId(blob(parts.task.bytes));
    order->setAttempt(parts.attempt);
    order->setAudience(blob(audience.sign_key()));
    order->setIssuedAt(unix_millis(now));
    order->setDeadline(60);
    order->setMode(parts.mode);
    order->setStep(parts.step);
    const auto task =
        must(Message<schema::Task>::from_json("{\"" + parts.arm + "\": " + parts.params + "}"));
    order->setTask(task.reader());
    const auto names = reflect::secrets_of(task.reader());
    auto secrets = order->initSecrets(static_cast<unsigned>(names.size()));
    for (unsigned i = 0; i < secrets.size(); ++i) {
      secrets[i].setName(names[i]);
      secrets[i].setSetAt(unix_millis(parts.secrets_since));
    }
    const auto payload = std::move(order).finish();
    arms[parts.task] = parts.arm;
    digests[parts.task] = crypto::digest(payload.bytes());
    Draft<schema::Entry> entry;
    const auto envelope = sign(controller, payload);
    entry->initOrdered().setEnvelope(blob(envelope.bytes()));
    must(add(std::move(entry)));
    return digests[parts.task];
  }

  /// The signed report for the last order of its task.
  Message<schema::Envelope> report_envelope(const ReportParts& parts, const crypto::Keys& by) {
    Draft<schema::Report> report;
    report->setLab("home");
    report->setRun(blob(parts.run.bytes));
    report->setTaskId(blob(parts.task.bytes));
    report->setOrderDigest(blob(digests[parts.task]));
    report->setMachineId(parts.machine_id);
    report->setStartedAt(unix_millis(now));
    report->setEndedAt(unix_millis(now));
    report->setMode(parts.mode);
    report->setOutcome(parts.outcome);
    auto changes = report->initChanges(static_cast<unsigned>(parts.changes.size()));
    for (unsigned i = 0; i < changes.size(); ++i) changes.set(i, parts.changes[i]);
    if (!parts.failure.empty()) {
      auto failure = report->initFailure();
      failure.setFault(std::string(name(parts.fault)));
      failure.setWhat(parts.failure);
    }
    const auto json = parts.facts.empty() ? "{\"" + arms[parts.task] + "\": {}}" : parts.facts;
    report->setFacts(must(Message<schema::Facts>::from_json(json)).reader());
    return sign(by, std::move(report).finish());
  }
  Result<void> receive(ByteView envelope) {
    Draft<schema::Entry> entry;
    entry->initReceived().setEnvelope(blob(envelope));
    return add(std::move(entry));
  }
  Result<void> report(const ReportParts& parts, const crypto::Keys& by) {
    return receive(report_envelope(parts, by).bytes());
  }

  /// A signed refusal of the last order of that task.
  Result<void> receive_refusal(const TaskId& task, const std::string& what,
                               const crypto::Keys& by) {
    Draft<schema::Receipt> receipt;
    receipt->setTaskId(blob(task.bytes));
    receipt->setOrderDigest(blob(digests[task]));
    receipt->setRefusal(schema::Refusal::KIND_FORBIDDEN);
    receipt->setWhat(what);
    const auto envelope = sign(by, std::move(receipt).finish());
    Draft<schema::Entry> entry;
    entry->initRefused().setEnvelope(blob(envelope.bytes()));
    return add(std::move(entry));
  }
  void refuse(const TaskId& task, const std::string& what, const crypto::Keys& by) {
    must(receive_refusal(task, what, by));
  }
  void abandon(const TaskId& task, const std::string& why) {
    Draft<schema::Entry> entry;
    entry->initAbandoned().setTaskId(blob(task.bytes));
    entry->getAbandoned().setWhy(why);
    must(add(std::move(entry)));
  }
  /// A person's word, signed by whoever has these keys.
  Result<void> waive(Message<schema::Waiver> waiver, const crypto::Keys& by) {
    Draft<schema::Entry> entry;
    entry->initWaived().setEnvelope(blob(sign(by, waiver).bytes()));
    return add(std::move(entry));
  }
  Result<void> approve(Message<schema::Approval> approval, const crypto::Keys& by) {
    Draft<schema::Entry> entry;
    entry->initApproved().setEnvelope(blob(sign(by, approval).bytes()));
    return add(std::move(entry));
  }
  void remove(const std::string& name) {
    Draft<schema::Entry> entry;
    entry->initRemoved().setName(name);
    must(add(std::move(entry)));
  }

  Result<void> add(Draft<schema::Entry> entry) {
    entry->setTime(unix_millis(now));
    auto message = std::move(entry).finish();
    head = chain(head, message.bytes());
    auto copy = must(Message<schema::Entry>::parse(message.bytes()));
    return state.apply({.number = ++count, .entry = std::move(copy), .hash = head});
  }

  crypto::Keys controller = fixed_keys(1);
  Instant now = instant_of(1'790'000'000'000);
  State state;
  crypto::Digest head{};
  std::uint64_t count = 0;
  std::map<TaskId, std::string> arms;
  std::map<TaskId, crypto::Digest> digests;
};

}  // namespace relab::controller
