#include "agent/kinds/zfs/pool_drill.h"

#include <fmt/format.h>
#include <set>

#include "agent/kinds/support/gaps.h"

namespace relab::agent::zfs {

namespace {

/// For its mount points.
constexpr auto mark = "in-pool";

/// The encryption roots in the copy whose key is loaded, or is not.
Result<std::set<std::string>> roots_of(Host& host, const PoolCopyWish& wish, bool loaded) {
  RELAB_TRY(const auto members, members_of(host, wish.target));
  std::set<std::string> roots;
  for (const auto& member : members)
    if (member.encrypted() && member.key_loaded == loaded) roots.insert(member.encryption_root);
  return roots;
}

Result<void> open(Host& host, const PoolDrillWish& wish) {
  RELAB_TRY(const auto closed, roots_of(host, wish.copy, false));
  for (const auto& root : closed)
    RELAB_CHECK(must_run(host, {.argv = {"zfs", "load-key", "-L", "prompt", root},
                                .secret_input = wish.key})
                    .during("opening the copy with the key"));
  RELAB_TRY(const auto left, roots_of(host, wish.copy, false));
  if (left.empty()) return {};
  return fail(Fault::damaged,
              fmt::format("the key of {} is not loaded all the same", *left.begin()));
}

Result<std::vector<Compared>> open_and_compare(Host& host, const PoolDrillWish& wish) {
  RELAB_CHECK(close_copy(host, wish.copy).during("removing what an earlier drill left"));
  RELAB_CHECK(open(host, wish));
  RELAB_TRY(const auto living, members_of(host, wish.copy.dataset));
  Comparison comparison(host, mark, wish.sample);
  std::vector<Compared> all;
  for (const auto& member : living) {
    const auto was = member.name + "@" + wish.copy.snapshot;
    RELAB_TRY(auto compared, comparison.compare(member, was, wish.copy.copy_of(was)));
    all.push_back(std::move(compared));
  }
  return all;
}

}  // namespace

Result<void> close_copy(Host& host, const PoolCopyWish& wish) {
  RELAB_CHECK(unmount_compared(host, mark));
  RELAB_TRY(const auto open, roots_of(host, wish, true));
  for (const auto& root : open) RELAB_CHECK(must_run(host, {.argv = {"zfs", "unload-key", root}}));
  return {};
}

Result<std::vector<Compared>> drill_in_pool(const Hands& hands, const PoolDrillWish& wish) {
  auto compared = open_and_compare(hands.host, wish);
  const auto closed = close_copy(hands.rescue, wish.copy);
  if (!compared || closed) return compared;
  return fail(closed.error().fault,
              "the copy is good, but it could not be closed again: " + closed.error().what,
              closed.error().hint);
}

}  // namespace relab::agent::zfs
