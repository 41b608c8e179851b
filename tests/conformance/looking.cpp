#include "tests/conformance/looking.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/kind.h"
#include "common/base/text.h"
#include "common/reflect/notes.h"
#include "schema/task.capnp.h"

namespace relab::conformance {

namespace {

using agent::Json;
using agent::Kind;

Json json_of(const Message<schema::Facts>& facts) {
  return Json::parse(facts.to_json(), nullptr, false);
}

Result<std::vector<agent::Change>> left_of(const Kind& kind, schema::Task::Reader task,
                                           schema::Facts::Reader facts) {
  if (kind.plan == nullptr) return std::vector<agent::Change>();
  return kind.plan(task, facts);
}

}  // namespace

Result<Message<schema::World>> audit(agent::Host& host, const std::string& name,
                                     const std::vector<std::string>& sections) {
  Draft<schema::World> world;
  world->setHost(name);
  RELAB_TRY(const auto machine, host.read_file("/etc/machine-id"));
  world->setMachineId(std::string(trim(machine)));
  for (const auto field : reflect::choices(capnp::Schema::from<schema::Task>())) {
    const auto section = reflect::notes_of(field).audit;
    if (section.empty() || (!sections.empty() && !std::ranges::count(sections, section))) continue;
    const std::string arm = field.getProto().getName().cStr();
    RELAB_TRY(const auto task,
              Message<schema::Task>::from_json(fmt::format(R"({{"{}": {{}}}})", arm)));
    RELAB_TRY(const auto* kind, agent::find_kind(arm));
    RELAB_TRY(const auto facts, kind->observe(task.reader(), host).during("auditing " + section));
    capnp::toDynamic(*world).set(section, agent::facts_of(facts.reader(), arm));
  }
  world->setBegan(unix_millis(host.now()));
  return std::move(world).finish();
}

Result<Json> perform(agent::Host& host, const std::string& json) {
  RELAB_TRY(const auto message, Message<schema::Task>::from_json(json));
  const auto task = message.reader();
  RELAB_TRY(const auto* kind, agent::find_kind(agent::arm_of(task)));
  RELAB_TRY(const auto before, kind->observe(task, host));
  Json told = {{"before", json_of(before)}, {"changes", Json::array()}};
  RELAB_TRY(const auto changes, left_of(*kind, task, before.reader()));
  for (const auto& change : changes) {
    told["changes"].push_back(change.what);
    RELAB_CHECK(kind->apply(change, {.host = host, .rescue = host}));
  }
  if (changes.empty()) return told;
  RELAB_TRY(const auto after, kind->observe(task, host));
  told["after"] = json_of(after);
  RELAB_TRY(const auto left, left_of(*kind, task, after.reader()));
  if (!left.empty())
    return fail(Fault::damaged, fmt::format("this is left to do: {}", left.front().what));
  return told;
}

}  // namespace relab::conformance
