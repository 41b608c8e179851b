#pragma once

/// What a task kind is, and the table of them: the agent runs nothing that has no entry here.

#include <capnp/dynamic.h>
#include <concepts>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/host/host.h"
#include "common/base/result.h"
#include "common/wire/message.h"
#include "schema/task.capnp.h"

namespace relab::agent {

/// One thing that differs from the wish.
struct Change {
  /// As an operator reads it in a diff: "+ address 10.42.10.2/24 on vmbr0.10".
  std::string what;
  /// What the kind's `apply` needs; means nothing to anybody else.
  std::vector<std::string> how = {};

  bool operator==(const Change&) const = default;
};

/// For a kind that declines, as the machine is now: it is not tried again by itself.
inline tl::unexpected<Error> refuse(std::string why, std::string hint) {
  return fail(Fault::refused, std::move(why), std::move(hint));
}

/// What a probe waits for until a person has done it.
struct Awaited {
  /// As it stands among the changes of a report: "a person attaches the disk X".
  std::string change;
  Waiting waiting;
  /// What is so if it was not done in time: "no disk with the serial X was attached".
  std::string missed;
};

/// Two ways to the same machine.
struct Hands {
  /// Of the task: refuses everything once the task was stopped.
  Host& host;
  /// For the way back, which a stopped task must go to its end.
  Host& rescue;
};

/// A task kind that only reads: its facts are its whole result.
template <typename K>
concept ProbeKind = requires(typename K::Params::Reader params, Host& host) {
  { K::observe(params, host) } -> std::same_as<Result<Message<typename K::Facts>>>;
};

/// A probe that is done once there is nothing left to wait for. `awaits` is pure.
template <typename K>
concept WaitingKind = ProbeKind<K> &&
    requires(typename K::Params::Reader params, typename K::Facts::Reader facts) {
  { K::awaits(params, facts) } -> std::same_as<std::optional<Awaited>>;
};

/// A probe that fails unless what it looks for is so. `judge` is pure, and says why it is not; the
/// facts are reported either way.
template <typename K>
concept JudgingKind = ProbeKind<K> &&
    requires(typename K::Params::Reader params, typename K::Facts::Reader facts) {
  { K::judge(params, facts) } -> std::same_as<Result<void>>;
};

/// A probe that takes hours, or sets something up that it takes away again, whatever comes of it.
/// `intends` is pure: what would be done, in words, after a first look; Fault::refused if the kind
/// declines. `attempt` does it, and has the facts of the first look with what it found.
template <typename K>
concept TrialKind = ProbeKind<K> && requires(typename K::Params::Reader params,
                                             typename K::Facts::Reader facts, const Hands& hands) {
  { K::intends(params, facts) } -> std::same_as<Result<std::vector<std::string>>>;
  { K::attempt(params, facts, hands) } -> std::same_as<Result<Message<typename K::Facts>>>;
};

template <typename K>
concept AppliesAlone = requires(const Change& change, Host& host) {
  { K::apply(change, host) } -> std::same_as<Result<void>>;
};
/// Whose change sets something up that has to be taken away again, whatever comes of it.
template <typename K>
concept AppliesWithRescue = requires(const Change& change, const Hands& hands) {
  { K::apply(change, hands) } -> std::same_as<Result<void>>;
};

/// A task kind that changes something. `plan` is pure: what is to be changed, in this order;
/// nothing once all is as wished; Fault::refused if the kind declines, as the machine is now.
/// `apply` does one change, and does nothing if it is done already.
template <typename K>
concept ChangeKind = ProbeKind<K> &&
    (AppliesAlone<K> || AppliesWithRescue<K>)&&requires(typename K::Params::Reader params,
                                                        typename K::Facts::Reader facts) {
  { K::plan(params, facts) } -> std::same_as<Result<std::vector<Change>>>;
};

/// A kind whose changes may cut the agent off, and can be undone. `revert` is pure: what leads from
/// how it is now back to how it was before; nothing once all is as before.
template <typename K>
concept RevertibleKind = ChangeKind<K> &&
    requires(typename K::Params::Reader params, typename K::Facts::Reader facts) {
  { K::revert(params, facts, facts) } -> std::same_as<std::vector<Change>>;
};

/// A kind that destroys something. `departs` is pure: in what that matters what is there now
/// differs from the evidence, of which a person approved; empty if in nothing.
template <typename K>
concept DestroyingKind = ChangeKind<K> &&
    requires(typename K::Params::Reader params, typename K::Facts::Reader facts,
             schema::Facts::Reader evidence) {
  { K::departs(params, facts, evidence) } -> std::same_as<std::string>;
};

/// A kind whose wish goes on moving while it is carried out: what it archives is written to. `left`
/// is pure: what of the plan for `now` is still to be done by a task that has done all of the plan
/// for `before`.
template <typename K>
concept MovingKind = ChangeKind<K> &&
    requires(typename K::Params::Reader params, typename K::Facts::Reader facts) {
  { K::left(params, facts, facts) } -> std::same_as<Result<std::vector<Change>>>;
};

/// A change kind that may succeed and still leave something that a person should know, such as what
/// is not in effect yet. `notes` is pure, and tells it of the machine as it is then.
template <typename K>
concept NotingKind = ChangeKind<K> &&
    requires(typename K::Params::Reader params, typename K::Facts::Reader facts) {
  { K::notes(params, facts) } -> std::same_as<std::vector<std::string>>;
};

/// One row of the table: the arm's name in the unions Task and Facts, and how to run it. What a
/// kind does not have is null.
struct Kind {
  using Task = schema::Task::Reader;
  using Facts = schema::Facts::Reader;

  std::string_view arm;
  Result<Message<schema::Facts>> (*observe)(Task task, Host& host) = nullptr;
  Result<void> (*judge)(Task task, Facts facts) = nullptr;
  std::optional<Awaited> (*awaits)(Task task, Facts facts) = nullptr;
  Result<std::vector<std::string>> (*intends)(Task task, Facts facts) = nullptr;
  Result<Message<schema::Facts>> (*attempt)(Task task, Facts facts, const Hands& hands) = nullptr;
  Result<std::vector<Change>> (*plan)(Task task, Facts facts) = nullptr;
  Result<void> (*apply)(const Change& change, const Hands& hands) = nullptr;
  Result<std::vector<Change>> (*left)(Task task, Facts before, Facts now) = nullptr;
  std::vector<Change> (*revert)(Task task, Facts before, Facts now) = nullptr;
  std::vector<std::string> (*notes)(Task task, Facts facts) = nullptr;
  std::string (*departs)(Task task, Facts now, Facts evidence) = nullptr;
};

/// Puts a kind's facts under its arm of the union, with every text made clean.
Message<schema::Facts> wrap_facts(std::string_view arm, capnp::DynamicStruct::Reader facts);
/// The parameters under an arm of the union.
capnp::DynamicStruct::Reader params_of(schema::Task::Reader task, std::string_view arm);
/// The facts under an arm of the union.
capnp::DynamicStruct::Reader facts_of(schema::Facts::Reader facts, std::string_view arm);

/// A kind as the table has it: over the unions rather than its own structs.
template <ProbeKind K>
struct Erased {
  static auto params(Kind::Task task) {
    return params_of(task, K::arm).template as<typename K::Params>();
  }
  static auto facts(Kind::Facts facts) {
    return facts_of(facts, K::arm).template as<typename K::Facts>();
  }
  static Result<Message<schema::Facts>> observe(Kind::Task task, Host& host) {
    RELAB_TRY(const auto found, K::observe(params(task), host));
    return wrap_facts(K::arm, capnp::toDynamic(found.reader()));
  }
  static Result<void> judge(Kind::Task task, Kind::Facts now) {
    return K::judge(params(task), facts(now));
  }
  static std::optional<Awaited> awaits(Kind::Task task, Kind::Facts now) {
    return K::awaits(params(task), facts(now));
  }
  static Result<std::vector<std::string>> intends(Kind::Task task, Kind::Facts now) {
    return K::intends(params(task), facts(now));
  }
  static Result<Message<schema::Facts>> attempt(Kind::Task task, Kind::Facts now,
                                                const Hands& hands) {
    RELAB_TRY(const auto found, K::attempt(params(task), facts(now), hands));
    return wrap_facts(K::arm, capnp::toDynamic(found.reader()));
  }
  static Result<std::vector<Change>> plan(Kind::Task task, Kind::Facts now) {
    return K::plan(params(task), facts(now));
  }
  static Result<void> apply(const Change& change, const Hands& hands) {
    if constexpr (AppliesAlone<K>)
      return K::apply(change, hands.host);
    else
      return K::apply(change, hands);
  }
  static Result<std::vector<Change>> left(Kind::Task task, Kind::Facts before, Kind::Facts now) {
    return K::left(params(task), facts(before), facts(now));
  }
  static std::vector<Change> revert(Kind::Task task, Kind::Facts before, Kind::Facts now) {
    return K::revert(params(task), facts(before), facts(now));
  }
  static std::vector<std::string> notes(Kind::Task task, Kind::Facts now) {
    return K::notes(params(task), facts(now));
  }
  static std::string departs(Kind::Task task, Kind::Facts now, Kind::Facts evidence) {
    return K::departs(params(task), facts(now), evidence);
  }
};

template <ProbeKind K>
constexpr Kind kind() {
  Kind row{.arm = K::arm, .observe = &Erased<K>::observe};
  if constexpr (JudgingKind<K>) row.judge = &Erased<K>::judge;
  if constexpr (WaitingKind<K>) row.awaits = &Erased<K>::awaits;
  if constexpr (TrialKind<K>) row.intends = &Erased<K>::intends;
  if constexpr (TrialKind<K>) row.attempt = &Erased<K>::attempt;
  if constexpr (ChangeKind<K>) row.plan = &Erased<K>::plan;
  if constexpr (ChangeKind<K>) row.apply = &Erased<K>::apply;
  if constexpr (MovingKind<K>) row.left = &Erased<K>::left;
  if constexpr (RevertibleKind<K>) row.revert = &Erased<K>::revert;
  if constexpr (NotingKind<K>) row.notes = &Erased<K>::notes;
  if constexpr (DestroyingKind<K>) row.departs = &Erased<K>::departs;
  return row;
}

/// All task kinds of this agent, in the order of the domains.
std::span<const Kind> all_kinds();

/// The kind of an arm, or Fault::unsupported.
Result<const Kind*> find_kind(std::string_view arm);

/// The name of the arm that a task holds ("auditZfs").
std::string_view arm_of(schema::Task::Reader task);

}  // namespace relab::agent
