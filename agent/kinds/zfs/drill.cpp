#include "agent/kinds/zfs/drill.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/compare.h"
#include "agent/kinds/zfs/members.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

constexpr auto receive_time_max = std::chrono::hours(24 * 30);
constexpr auto removal_time_max = std::chrono::hours(2);
/// For its mount points.
constexpr auto mark = "received";

std::string moved(const std::string& name, const std::string& from, const std::string& to) {
  return to + name.substr(from.size());
}

/// What a drill cannot clear away says nothing of the copy, and `damaged` would.
Result<bool> not_of_the_copy(Result<bool> cleared) {
  if (cleared || cleared.error().fault != Fault::damaged) return cleared;
  return fail(Fault::busy, cleared.error().what, cleared.error().hint);
}

/// Whether there was anything.
Result<bool> remove_leftover(Host& host, const DrillWish& wish) {
  RELAB_CHECK(unmount_compared(host, mark));
  RELAB_TRY(const auto ground, read_drill_ground(host, wish));
  if (ground.leftover.empty()) return false;
  RELAB_CHECK(must_run(
      host, {.argv = {"zfs", "destroy", "-r", wish.place()}, .timeout = removal_time_max}));
  RELAB_TRY(const auto after, read_drill_ground(host, wish));
  if (!after.leftover.empty())
    return fail(Fault::damaged,
                fmt::format("zfs destroy -r {} ended well, and it is still there", wish.place()));
  return true;
}

Result<std::uint64_t> size_told(Host& host, const std::string& property, const std::string& of) {
  RELAB_TRY(const auto text, output_of(host, {.argv = {"zfs", "list", "-Hp", "-o", property, of}}));
  return parse_number<std::uint64_t>(trim(text));
}

class Drill {
 public:
  Drill(Host& host, const DrillWish& wish, const Origin& origin)
      : host_(host), wish_(wish), origin_(origin), comparison_(host, mark, wish.sample) {}

  Result<void> receive(Sink& looking) {
    RELAB_CHECK(
        must_run(host_, {.argv = {"zfs", "create", "-o", "canmount=off", "-o", "mountpoint=none",
                                  "-o", fmt::format("{}=yes", drill_mark), wish_.place()}}));
    // Nothing of it is ever mounted by itself, over what it is a copy of.
    RELAB_TRY(
        const auto output,
        host_.feed(wish_.copy.stream(),
                   {.argv = {"zfs", "receive", "-u", "-o", "mountpoint=none", wish_.received()},
                    .timeout = receive_time_max},
                   looking));
    if (output.status == 0 && trim(output.err).empty()) return {};
    return fail(Fault::damaged,
                fmt::format("zfs receive ended with {}: {}", output.status, first_words(output)));
  }

  /// Every snapshot is there, by its GUID.
  Result<void> check_snapshots() const {
    RELAB_TRY(const auto tree, read_tree(host_, wish_.received()));
    std::set<std::pair<std::string, std::uint64_t>> missing;
    for (const auto& node : origin_.snapshots)
      missing.emplace(moved(node.name, wish_.copy.dataset, wish_.received()), node.guid);
    for (const auto& node : tree)
      if (node.is_snapshot() && missing.erase({node.name, node.guid}) == 0)
        return fail(Fault::damaged, fmt::format("{} is not what was sent", node.name));
    if (missing.empty()) return {};
    return fail(Fault::damaged,
                fmt::format("{} of {} snapshots were not received: {}", missing.size(),
                            origin_.snapshots.size(), missing.begin()->first));
  }

  Result<void> open() const {
    RELAB_TRY(const auto members, members_of(host_, wish_.received()));
    std::set<std::string> roots;
    for (const auto& member : members)
      if (member.encrypted() && !member.key_loaded) roots.insert(member.encryption_root);
    for (const auto& root : roots)
      RELAB_CHECK(must_run(host_, {.argv = {"zfs", "load-key", "-L", "prompt", root},
                                   .secret_input = wish_.key})
                      .during("opening what was received with the key"));
    return {};
  }

  Result<std::vector<Compared>> compare() {
    RELAB_TRY(const auto living, members_of(host_, wish_.copy.dataset));
    std::vector<Compared> all;
    for (const auto& member : living) {
      RELAB_TRY(auto compared,
                comparison_.compare(member, member.name + "@" + wish_.copy.snapshot,
                                    moved(member.name, wish_.copy.dataset, wish_.received())));
      all.push_back(std::move(compared));
    }
    return all;
  }

 private:
  Host& host_;
  const DrillWish& wish_;
  const Origin& origin_;
  Comparison comparison_;
};

Result<std::vector<Compared>> carry_through(Host& host, const DrillWish& wish, Sink& looking,
                                            const std::function<Result<void>()>& check,
                                            const Origin& origin) {
  RELAB_CHECK(clear_drill_ground(host, wish));
  Drill drill(host, wish, origin);
  RELAB_CHECK(drill.receive(looking));
  RELAB_CHECK(check());
  RELAB_CHECK(drill.check_snapshots());
  RELAB_CHECK(drill.open());
  return drill.compare();
}

}  // namespace

Result<DrillGround> read_drill_ground(Host& host, const DrillWish& wish) {
  DrillGround ground;
  RELAB_TRY(ground.available, size_told(host, "available", wish.scratch));
  RELAB_TRY(
      const auto found,
      host.run({.argv = {"zfs", "get", "-Hp", "-o", "value,source", drill_mark, wish.place()}}));
  if (found.status != 0 && !found.truncated &&
      found.err.find("does not exist") != std::string::npos)
    return ground;
  if (found.status != 0 || found.truncated)
    return fail(Fault::damaged,
                fmt::format("zfs get ended with {}: {}", found.status, first_words(found)));
  if (trim(found.out) != "yes\tlocal")
    return fail(Fault::conflict,
                fmt::format("there is a dataset {} that no drill has made", wish.place()),
                "rename it, or name another `scratch`");
  ground.leftover = wish.place();
  RELAB_TRY(ground.held, size_told(host, "used", wish.place()));
  ground.available += ground.held;
  return ground;
}

Result<void> clear_drill_ground(Host& host, const DrillWish& wish) {
  RELAB_TRY(
      const bool removed,
      not_of_the_copy(remove_leftover(host, wish)).during("removing what an earlier drill left"));
  if (!removed) return {};
  // Destroying ends before the room is free.
  return must_run(host, {.argv = {"zpool", "wait", "-t", "free", pool_of(wish.scratch)},
                         .timeout = removal_time_max});
}

Result<std::vector<Compared>> drill(const Hands& hands, const DrillWish& wish, Sink& looking,
                                    const std::function<Result<void>()>& check,
                                    const Origin& origin) {
  auto compared = carry_through(hands.host, wish, looking, check, origin);
  const auto removed = not_of_the_copy(remove_leftover(hands.rescue, wish));
  if (!compared) return compared;
  if (!removed)
    return fail(removed.error().fault,
                "the copy is good, but the scratch could not be removed: " + removed.error().what,
                removed.error().hint);
  return compared;
}

}  // namespace relab::agent::zfs
