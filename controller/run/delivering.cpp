// The controller's part in agents that come into guests by way of their hosts: it sends what they
// are made of, and enrols what came back.

#include <fmt/format.h>

#include "controller/lab/lab.h"
#include "controller/run/driver.h"
#include "controller/state/planted.h"

namespace relab::controller {

void Driver::bring_delivery(const PlannedStep& step, schema::Order::Builder order) const {
  if (installed_role(step).empty()) return;
  RELAB_ASSERT(book_.state().controller().has_value());
  auto delivery = order.initDelivery();
  delivery.setController(blob(book_.state().controller()->statement));
  const auto name = str(step.task->reader().getAgentInstall().getName());
  if (const auto known = book_.state().agents().find(name); known != book_.state().agents().end())
    delivery.setExpected(blob(known->second.party.sign_key));
  const auto chosen = parcels_for_guests(config_.parcels);
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
  // Of another controller's task, of another run, whose folder of packages is not known here, or of
  // one that has ended: whoever drives that answers.
  if (task == book_.state().tasks().end() || task->second.agent != session.name() ||
      task->second.run != run_ || !task->second.open() || !session.greeting() ||
      config_.parcels.empty())
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

Result<std::string> Driver::take_planted(const TaskRecord& task) {
  const auto name = planted_name(task);
  if (name.empty() || task.check || !task.evidence ||
      task.evidence->report.reader().getOutcome() != schema::Outcome::SUCCEEDED)
    return std::string();
  const auto agent = planted_party(task);
  if (!agent) return agent.error().sentence();
  const auto& agents = book_.state().agents();
  // It was known when this was ordered, and is not any more: somebody removed it since.
  const bool was_known = !view(task.order.reader().getDelivery().getExpected()).empty();
  if (was_known && !agents.contains(name))
    return fmt::format("the agent '{}' was removed meanwhile", name);
  if (auto conflict = planting_conflict(book_.state(), name, *agent); !conflict.empty())
    return conflict;
  RELAB_TRY(const auto lab, Message<schema::Lab>::parse(book_.state().run(task.run)->lab));
  RELAB_TRY(const auto endpoint, lab::agent_endpoint(lab.reader(), name));
  if (const auto known = agents.find(name); known != agents.end() &&
                                            known->second.endpoint == endpoint &&
                                            known->second.party.machine_id == agent->machine_id &&
                                            known->second.party.agent_role == agent->agent_role)
    return std::string();
  RELAB_CHECK(book_.enrolled(
      {.name = name, .endpoint = endpoint, .agent = *agent, .origin = task.evidence->digest}));
  narrator_.enrolled(name, *agent);
  if (!engine_ || !engine_->needed_agents().contains(name)) return std::string();
  sessions_[name] =
      std::make_unique<Session>(exchange_, book_.state().agents().at(name), keys_, config_.lab);
  RELAB_CHECK(feed(event::AgentKnown{name}));
  return std::string();
}

Result<void> Driver::take_planted_before() {
  std::vector<TaskId> planted;
  for (const auto* task : book_.state().tasks_of(run_)) {
    const auto name = planted_name(*task);
    // Whoever was removed since stays so.
    if (!name.empty() && !book_.state().agents().contains(name) && !book_.state().had_another(name))
      planted.push_back(task->id);
  }
  for (const auto& id : planted) {
    RELAB_TRY(const auto flaw, take_planted(book_.state().tasks().at(id)));
    if (!flaw.empty()) narrator_.warn(flaw);
  }
  return {};
}

}  // namespace relab::controller
