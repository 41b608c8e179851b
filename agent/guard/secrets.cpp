// The secrets of an order: exactly those that its task names, sealed to this agent for this task.

#include "common/reflect/secrets.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/guard/guard.h"
#include "common/crypto/sealed_secret.h"

namespace relab::agent {

namespace {

/// Each name is used up, so that none can come twice.
Result<void> take_name(std::vector<std::string>& named, const std::string& name) {
  const auto found = std::ranges::find(named, name);
  if (found == named.end())
    return fail(Fault::refused,
                fmt::format("the order brings a secret '{}' that its task does not name", name));
  named.erase(found);
  return {};
}

}  // namespace

Result<Secrets> open_secrets(schema::Order::Reader order, const crypto::Keys& keys) {
  Secrets secrets;
  auto named = reflect::secrets_of(order.getTask());
  for (const auto sealed : order.getSecrets()) {
    const auto name = str(sealed.getName());
    RELAB_CHECK(take_name(named, name));
    RELAB_TRY(
        auto value,
        crypto::open_secret(
            keys, {.lab = view(order.getLab()), .task = view(order.getTaskId()), .name = name},
            view(sealed.getBox())));
    secrets.emplace(name, std::move(value));
  }
  if (named.empty()) return secrets;
  return fail(Fault::refused,
              fmt::format("the order does not bring the secret(s) that its task names: {}",
                          fmt::join(named, ", ")));
}

}  // namespace relab::agent
