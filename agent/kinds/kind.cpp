#include "agent/kinds/kind.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/reflect/union.h"
#include "common/wire/check.h"

namespace relab::agent {

Message<schema::Facts> wrap_facts(std::string_view arm, capnp::DynamicStruct::Reader facts) {
  Draft<schema::Facts> draft;
  auto root = capnp::toDynamic(*draft);
  const auto field = root.getSchema().getFieldByName(kj::StringPtr(arm.data(), arm.size()));
  root.set(field, facts);
  clean_message(root);
  return std::move(draft).finish();
}

capnp::DynamicStruct::Reader params_of(schema::Task::Reader task, std::string_view arm) {
  const auto root = capnp::toDynamic(task);
  return root.get(kj::StringPtr(arm.data(), arm.size())).as<capnp::DynamicStruct>();
}

capnp::DynamicStruct::Reader facts_of(schema::Facts::Reader facts, std::string_view arm) {
  const auto root = capnp::toDynamic(facts);
  return root.get(kj::StringPtr(arm.data(), arm.size())).as<capnp::DynamicStruct>();
}

Result<const Kind*> find_kind(std::string_view arm) {
  const auto kinds = all_kinds();
  const auto found = std::ranges::find(kinds, arm, &Kind::arm);
  if (found == kinds.end())
    return fail(Fault::unsupported, fmt::format("this agent has no task kind '{}'", arm),
                "upgrade the agent");
  return &*found;
}

std::string_view arm_of(schema::Task::Reader task) {
  return reflect::member_of(capnp::toDynamic(task));
}

}  // namespace relab::agent
