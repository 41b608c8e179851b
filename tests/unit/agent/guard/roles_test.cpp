// The manifests of roles that we ship.

#include <algorithm>
#include <capnp/schema.h>
#include <vector>

#include "agent/guard/role.h"
#include "tests/support/must.h"

namespace relab::agent {

namespace {

const std::filesystem::path roles_dir = RELAB_TEST_DATA "/../../packaging/roles";

std::vector<std::string> task_kinds() {
  std::vector<std::string> kinds;
  for (const auto arm : capnp::Schema::from<schema::Task>().getUnionFields())
    if (const auto name = str(arm.getProto().getName()); name != "unset") kinds.push_back(name);
  return kinds;
}

std::vector<std::string> kinds_of(const RoleLimits& role) {
  std::vector<std::string> kinds;
  for (const auto kind : role.manifest().getKinds()) kinds.push_back(str(kind));
  return kinds;
}

}  // namespace

TEST_CASE("roles: a host may be ordered every task kind there is", "[agent][guard]") {
  const auto host = must(RoleLimits::load(roles_dir, "host"));

  CHECK(kinds_of(host) == task_kinds());
}

TEST_CASE("roles: a guest may be ordered some of what a host may", "[agent][guard]") {
  const auto guest = must(RoleLimits::load(roles_dir, "guest"));

  auto kinds = kinds_of(guest);
  auto all = task_kinds();
  std::ranges::sort(kinds);
  std::ranges::sort(all);
  CHECK(std::ranges::includes(all, kinds));
  CHECK(guest.permits_kind("ping"));
  CHECK_FALSE(guest.permits_kind("auditZfs"));
}

TEST_CASE("roles: every manifest is named like its file", "[agent][guard]") {
  const auto name = GENERATE(as<std::string>(), "host", "guest");

  const auto role = must(RoleLimits::load(roles_dir, name));

  CHECK(view(role.manifest().getName()) == name);
}

}  // namespace relab::agent
