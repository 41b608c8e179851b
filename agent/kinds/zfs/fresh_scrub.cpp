#include "agent/kinds/zfs/fresh_scrub.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/ask.h"
#include "agent/kinds/zfs/readers.h"

namespace relab::agent::zfs {

namespace {

constexpr auto look_again_min = Millis(1000);
constexpr auto look_again_max = Millis(10000);
/// ZFS tells times in whole seconds.
constexpr std::uint64_t second = 1000;
/// More than a scrub can need: two months of looks.
constexpr int looks_max = 500000;

std::uint64_t millis(Instant time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

/// The last or only scrub; its words are empty if there was none.
Result<Scan> read_scrub(Host& host, const Versions& versions, const std::string& pool) {
  RELAB_TRY(const auto statuses, read_status(host, versions));
  const auto found = std::ranges::find(statuses.pools, pool, &PoolStatus::name);
  if (found == statuses.pools.end())
    return fail(Fault::missing, fmt::format("the pool '{}' is not imported any more", pool));
  for (const auto& scan : found->scans)
    if (scan.function == "scrub") return scan;
  return Scan{};
}

/// That no scrub goes on, and that none ended in the second that begins ours.
Result<void> clear_way(Host& host, const Versions& versions, const std::string& pool) {
  RELAB_TRY(const auto before, read_scrub(host, versions, pool));
  if (before.state == "scanning" || before.state == "paused")
    RELAB_CHECK(must_run(host, {.argv = {"zpool", "scrub", "-s", pool}}));
  if (before.ended.unix_millis / second >= millis(host.now()) / second)
    RELAB_CHECK(host.pause(look_again_min, {.what = "waiting for the next second"}));
  return {};
}

Result<std::uint64_t> wait_for_end(Host& host, const Versions& versions, const std::string& pool,
                                   std::uint64_t begun) {
  auto pause = look_again_min;
  for (int looks = 0; looks < looks_max; ++looks) {
    RELAB_TRY(const auto scan, read_scrub(host, versions, pool));
    const auto ended = scan.ended.unix_millis;
    if (scan.state == "finished" && ended / second >= begun / second) return ended;
    if (scan.state != "scanning")
      return fail(Fault::damaged,
                  scan.state == "finished"
                      ? "the scrub ended before it began: was the clock set back?"
                      : fmt::format("the scrub of '{}' is {}", pool,
                                    scan.state.empty() ? "not told of" : scan.state),
                  "run it again");
    RELAB_CHECK(
        host.pause(pause, {.what = fmt::format("scrubbing '{}'{}{}", pool,
                                               scan.words.empty() ? "" : ": ", scan.words)}));
    pause = std::min(pause * 2, look_again_max);
  }
  return fail(Fault::damaged, fmt::format("the scrub of '{}' does not come to its end", pool));
}

}  // namespace

Result<std::uint64_t> fresh_scrub(const Hands& hands, const std::string& pool) {
  RELAB_TRY(const auto versions, read_versions(hands.host));
  RELAB_CHECK(clear_way(hands.host, versions, pool));
  const auto begun = millis(hands.host.now());
  auto ended = [&]() -> Result<std::uint64_t> {
    RELAB_CHECK(must_run(hands.host, {.argv = {"zpool", "scrub", pool}}));
    return wait_for_end(hands.host, versions, pool, begun);
  }();
  // It says so itself if there is none to end.
  if (!ended)
    static_cast<void>(hands.rescue.run({.argv = {"zpool", "scrub", "-s", pool}}).has_value());
  return std::move(ended).during(fmt::format("scrubbing '{}'", pool));
}

}  // namespace relab::agent::zfs
