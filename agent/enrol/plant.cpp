#include "agent/enrol/plant.h"

#include <fmt/format.h>

#include "agent/service/machine.h"
#include "agent/trust/trust.h"

namespace relab::agent {

namespace {

Bytes state(const crypto::Keys& keys, const std::string& name, const std::string& role) {
  return state_identity(keys, {.role = schema::Role::AGENT,
                               .name = name,
                               .machine_id = machine_id(keys),
                               .agent_role = role});
}

}  // namespace

Result<Bytes> plant_controller(const PlantRequest& request) {
  if (request.lab.empty()) return fail(Fault::invalid, "which lab?", "--lab NAME");
  RELAB_TRY(const auto controller, read_identity(request.controller, schema::Role::CONTROLLER));
  RELAB_TRY(auto trust, Trust::load(request.state_dir));
  const bool known = trust.by_sign_key(controller.sign_key) != nullptr;
  if (!trust.empty() && (!known || trust.lab() != request.lab))
    return fail(
        Fault::refused,
        fmt::format("this agent obeys '{}' ({}) of the lab '{}'", trust.controllers().front().name,
                    crypto::fingerprint(trust.controllers().front().sign_key), trust.lab()),
        "have it forget that one first: relab-agent distrust");
  RELAB_TRY(const auto keys, load_or_make_keys(request.state_dir));
  if (!known) RELAB_CHECK(trust.add(request.state_dir, controller, request.lab));
  return state(keys, request.name, request.role);
}

Result<Bytes> own_identity(const std::filesystem::path& state_dir, const std::string& name,
                           const std::string& role) {
  RELAB_TRY(const auto keys, load_keys(state_dir));
  if (!keys) return fail(Fault::missing, "this agent has no keys yet");
  return state(*keys, name, role);
}

}  // namespace relab::agent
