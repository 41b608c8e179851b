#include "controller/state/planted.h"

#include <fmt/format.h>

namespace relab::controller {

std::string planted_name(const TaskRecord& task) {
  const auto wish = task.order.reader().getTask();
  return wish.isAgentInstall() ? str(wish.getAgentInstall().getName()) : std::string();
}

Result<Party> planted_party(const TaskRecord& task) {
  if (!task.evidence || task.check ||
      task.evidence->report.reader().getOutcome() != schema::Outcome::SUCCEEDED)
    return fail(Fault::missing, "the task brought nobody");
  const auto facts = task.evidence->report.reader().getFacts();
  if (!facts.isAgentInstall()) return fail(Fault::damaged, "the report tells of something else");
  RELAB_TRY(auto party,
            read_identity(view(facts.getAgentInstall().getIdentity()), schema::Role::AGENT)
                .during("reading who came"));
  if (party.name != planted_name(task))
    return fail(Fault::damaged, fmt::format("who came calls itself '{}', and not '{}'", party.name,
                                            planted_name(task)));
  return party;
}

std::string planting_conflict(const State& state, const std::string& name, const Party& party) {
  for (const auto& [known, agent] : state.agents()) {
    if (known == name && agent.party.sign_key != party.sign_key)
      return fmt::format("it has another key than the agent '{}' that is known: {}", name,
                         crypto::fingerprint(party.sign_key));
    if (known != name && agent.party.sign_key == party.sign_key)
      return fmt::format("it has the key of the agent '{}': a container was copied with its keys",
                         known);
  }
  return {};
}

}  // namespace relab::controller
