// The controller's part in agents that come into guests by way of their hosts: it sends what they
// are made of, and enrols what came back.

#include <fmt/format.h>

#include "controller/lab/lab.h"
#include "controller/run/driver.h"

namespace relab::controller {

namespace {

std::string_view planted_name(const TaskRecord& task) {
  const auto wish = task.order.reader().getTask();
  return wish.isAgentInstall() ? view(wish.getAgentInstall().getName()) : std::string_view();
}

}  // namespace

void Driver::bring_delivery(const PlannedStep& step, schema::Order::Builder order) const {
  const auto role = installed_role(step);
  if (role.empty()) return;
  RELAB_ASSERT(book_.state().controller().has_value());
  auto delivery = order.initDelivery();
  delivery.setController(blob(book_.state().controller()->statement));
  const auto name = str(step.task->reader().getAgentInstall().getName());
  if (const auto known = book_.state().agents().find(name); known != book_.state().agents().end())
    delivery.setExpected(blob(known->second.party.sign_key));
  const auto chosen = parcels_for_role(config_.parcels, role);
  auto parcels = delivery.initParcels(static_cast<unsigned>(chosen.size()));
  for (unsigned i = 0; i < parcels.size(); ++i) {
    parcels[i].setName(chosen[i].name);
    parcels[i].setSha256(blob(chosen[i].sha256));
    parcels[i].setSize(chosen[i].size);
  }
}

void Driver::take_want(Session& session, schema::Want::Reader want) {
  const auto id = TaskId::from(view(want.getTaskId()));
  const auto task = id ? book_.state().tasks().find(*id) : book_.state().tasks().end();
  // Of another controller's task, or of one that has ended.
  if (task == book_.state().tasks().end() || task->second.agent != session.name() ||
      !task->second.open() || !session.greeting())
    return;
  Draft<schema::Piece> piece;
  piece->setTaskId(blob(id->bytes));
  piece->setNonce(blob(session.greeting()->nonce));
  piece->setSha256(want.getSha256());
  piece->setOffset(want.getOffset());
  if (const auto bytes = read_piece(config_.parcels, view(want.getSha256()), want.getOffset()))
    piece->setBytes(blob(*bytes));
  else
    piece->setMissing(bytes.error().what);
  // If it does not get through, it is wanted again.
  static_cast<void>(session.send(std::move(piece).finish()).has_value());
}

Result<void> Driver::take_planted(const TaskRecord& task) {
  const auto name = std::string(planted_name(task));
  if (name.empty() || task.check || !task.evidence) return {};
  const auto report = task.evidence->report.reader();
  if (report.getOutcome() != schema::Outcome::SUCCEEDED) return {};
  const auto agent =
      read_identity(view(report.getFacts().getAgentInstall().getIdentity()), schema::Role::AGENT);
  if (!agent) {
    narrator_.warn(fmt::format("{} brought no agent: {}", task.step, agent.error().what));
    return {};
  }
  const auto known = book_.state().agents().find(name);
  if (known != book_.state().agents().end()) {
    if (known->second.party.sign_key != agent->sign_key)
      narrator_.warn(
          fmt::format("{} brought another key than that of the agent '{}', which is not taken: {}",
                      task.step, name, crypto::fingerprint(agent->sign_key)));
    return {};
  }
  RELAB_TRY(const auto lab, Message<schema::Lab>::parse(book_.state().run(task.run)->lab));
  RELAB_TRY(const auto endpoint, lab::agent_endpoint(lab.reader(), name));
  RELAB_CHECK(book_.enrolled(
      {.name = name, .endpoint = endpoint, .agent = *agent, .origin = task.evidence->digest}));
  narrator_.enrolled(name, *agent);
  if (!engine_->needed_agents().contains(name)) return {};
  sessions_[name] =
      std::make_unique<Session>(exchange_, book_.state().agents().at(name), keys_, config_.lab);
  return feed(event::AgentKnown{name});
}

Result<void> Driver::take_planted_before() {
  std::vector<TaskId> planted;
  for (const auto* task : book_.state().tasks_of(run_)) {
    const auto name = std::string(planted_name(*task));
    // Whoever was removed since stays so.
    if (!name.empty() && !book_.state().agents().contains(name) && !book_.state().had_another(name))
      planted.push_back(task->id);
  }
  for (const auto& id : planted) RELAB_CHECK(take_planted(book_.state().tasks().at(id)));
  return {};
}

}  // namespace relab::controller
