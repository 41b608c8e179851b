#pragma once

/// What a task kind is, and the table of them: the agent runs nothing that has no entry here.

#include <capnp/dynamic.h>
#include <concepts>
#include <span>
#include <string_view>

#include "agent/host/host.h"
#include "common/base/result.h"
#include "common/wire/message.h"
#include "schema/task.capnp.h"

namespace relab::agent {

/// A task kind that only reads: its facts are its whole result. Kinds that change something come
/// with `plan` and `apply`.
template <typename K>
concept ProbeKind = requires(typename K::Params::Reader params, Host& host) {
  { K::observe(params, host) } -> std::same_as<Result<Message<typename K::Facts>>>;
};

/// One row of the table: the arm's name in the unions Task and Facts, and how to run it.
struct Kind {
  std::string_view arm;
  Result<Message<schema::Facts>> (*observe)(schema::Task::Reader task, Host& host);
};

/// Puts a kind's facts under its arm of the union, with every text made clean.
Message<schema::Facts> wrap_facts(std::string_view arm, capnp::DynamicStruct::Reader facts);
/// The parameters under an arm of the union.
capnp::DynamicStruct::Reader params_of(schema::Task::Reader task, std::string_view arm);

template <ProbeKind K>
struct Observe {
  static Result<Message<schema::Facts>> run(schema::Task::Reader task, Host& host) {
    const auto params = params_of(task, K::arm).template as<typename K::Params>();
    RELAB_TRY(const auto facts, K::observe(params, host));
    return wrap_facts(K::arm, capnp::toDynamic(facts.reader()));
  }
};

template <ProbeKind K>
constexpr Kind kind() {
  return {.arm = K::arm, .observe = &Observe<K>::run};
}

/// All task kinds of this agent, in the order of the domains.
std::span<const Kind> all_kinds();

/// The kind of an arm, or Fault::unsupported.
Result<const Kind*> find_kind(std::string_view arm);

/// The name of the arm that a task holds ("auditZfs").
std::string_view arm_of(schema::Task::Reader task);

}  // namespace relab::agent
