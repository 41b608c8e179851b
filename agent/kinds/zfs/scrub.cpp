#include "agent/kinds/zfs/scrub.h"

#include <algorithm>
#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/health.h"
#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

using Params = schema::ZfsScrub;
using Facts = schema::ZfsScrub::Facts;
using Scan = schema::AuditZfs::Scan::Reader;

/// Between two looks at a scrub: the longer it takes, the less often.
constexpr auto glance_min = Millis(5'000);
constexpr auto glance_max = Millis(60'000);
constexpr int glances_in_a_scrub = 20;
/// Between a scrub's order and the first status that tells of it.
constexpr int looks_for_start = 12;

/// What is at work, or was last.
struct Scanning {
  std::string function = "none";
  std::string state = "none";
  std::uint64_t ended = 0;
  std::uint64_t errors = 0;
  std::string words = {};

  bool running() const { return state == "scanning" || state == "paused"; }
  bool is_scrub() const { return function == "scrub"; }
};

Scanning scanning_of(schema::PoolHealth::Facts::Reader health) {
  Scanning newest;
  for (const Scan scan : health.getScans())
    if (view(scan.getFunction()) != "errorscrub")
      newest = {.function = str(scan.getFunction()),
                .state = str(scan.getState()),
                .ended = scan.getEndedAt(),
                .errors = scan.getErrors(),
                .words = str(scan.getWords())};
  return newest;
}

Result<Message<schema::PoolHealth::Facts>> look(Host& host, const std::string& pool) {
  Draft<schema::PoolHealth> question;
  question->setPool(pool);
  const auto asked = std::move(question).finish();
  return PoolHealth::observe(asked.reader(), host);
}

/// "12.34% done"; 0 where ZFS does not say it.
std::uint64_t percent_of(std::string_view words) {
  const auto end = words.find("% done");
  if (end == std::string_view::npos) return 0;
  const auto begin = words.find_last_of(" \t\n", end) + 1;
  const auto number = words.substr(begin, end - begin);
  const auto whole = parse_number<std::uint64_t>(number.substr(0, number.find('.')));
  return whole ? std::min<std::uint64_t>(*whole, 100) : 0;
}

Result<void> start(Host& host, const std::string& pool) {
  RELAB_TRY(const auto output, host.run({.argv = {"zpool", "scrub", pool}}));
  if (output.status == 0 && trim(output.err).empty()) return {};
  return fail(Fault::damaged,
              fmt::format("zpool scrub ended with {}: {}", output.status, first_words(output)));
}

Result<void> wait_for_end(Host& host, const std::string& pool, std::uint64_t ended_before) {
  const auto begun = host.now();
  for (int looks = 1;; ++looks) {
    RELAB_TRY(const auto health, look(host, pool));
    const auto now = scanning_of(health.reader());
    if (now.is_scrub() && now.state == "finished" && now.ended != ended_before) return {};
    if (now.state == "canceled" || now.state == "paused" || !now.is_scrub())
      return fail(Fault::conflict,
                  fmt::format("somebody stopped the scrub of {}: {}", pool,
                              now.words.empty() ? now.state : now.words),
                  "run it again: it starts anew, or goes on where it was paused");
    if (!now.running() && looks >= looks_for_start)
      return fail(Fault::damaged,
                  fmt::format("ZFS tells of no new scrub of {}, nor when it ended", pool));
    host.progress({.done = percent_of(now.words),
                   .total = 100,
                   .unit = "percent",
                   .what = fmt::format("scrubbing {}", pool)});
    const auto glance =
        std::clamp<Millis>((host.now() - begun) / glances_in_a_scrub, glance_min, glance_max);
    RELAB_CHECK(host.pause(glance, {.what = fmt::format("waiting for the scrub of {}", pool)}));
  }
}

}  // namespace

Result<Message<Facts>> ZfsScrub::observe(Params::Reader params, Host& host) {
  RELAB_TRY(const auto health, look(host, str(params.getPool())));
  const auto scan = scanning_of(health.reader());
  const auto ended = instant_of(health.reader().getScrubbedAt());
  Draft<Facts> facts;
  facts->setPool(params.getPool());
  facts->setPoolGuid(health.reader().getPool().getGuid());
  facts->setState(scan.is_scrub() ? scan.state : scan.function == "none" ? "none" : scan.function);
  facts->setEndedAt(health.reader().getScrubbedAt());
  // One that ended in the future was timed by a clock that has been set back since.
  facts->setRecent(health.reader().getScrubbedAt() != 0 && ended <= host.now() &&
                   host.now() - ended < std::chrono::seconds(params.getMaxAge()));
  // ZFS 2.3.9 answers neither with yes nor no: its program waits for ever, and cannot be killed.
  if (health.reader().getPool().getReadonly() && !facts->getRecent())
    return fail(Fault::refused,
                fmt::format("{} is imported to be read only, and cannot be scrubbed",
                            view(params.getPool())),
                "export it, and import it without readonly=on");
  facts->setErrors(scan.errors);
  facts->setConcerns(health.reader().getConcerns());
  facts->setWords(scan.words);
  facts->setToolVersion(health.reader().getToolVersion());
  return std::move(facts).finish();
}

Result<std::vector<Change>> ZfsScrub::plan(Params::Reader params, Facts::Reader facts) {
  const auto pool = str(params.getPool());
  const auto state = str(facts.getState());
  if (state == "resilver" || state == "rebuild") {
    for (const auto concern : facts.getConcerns())
      if (view(concern).find(state) != std::string_view::npos)
        return fail(Fault::refused,
                    fmt::format("{} of {}: it is scrubbed after that", view(concern), pool),
                    "wait for its end, and run it again");
  }
  if (facts.getRecent()) return std::vector<Change>();
  const auto what = state == "scanning" ? fmt::format("the scrub of {} is waited for", pool)
                    : facts.getEndedAt() == 0
                        ? fmt::format("+ scrub of {}, which never had one", pool)
                        : fmt::format("+ scrub of {}, the last one is too old", pool);
  return std::vector<Change>{
      {.what = what, .how = {pool, state, std::to_string(facts.getEndedAt())}}};
}

Result<void> ZfsScrub::apply(const Change& change, Host& host) {
  RELAB_ASSERT(change.how.size() == 3);
  const auto& pool = change.how[0];
  RELAB_TRY(const auto ended_before, parse_number<std::uint64_t>(change.how[2]));
  RELAB_TRY(const auto health, look(host, pool));
  const auto now = scanning_of(health.reader());
  if (now.is_scrub() && now.state == "finished" && now.ended != ended_before) return {};
  if (!now.is_scrub() || now.state != "scanning") RELAB_CHECK(start(host, pool));
  return wait_for_end(host, pool, ended_before);
}

}  // namespace relab::agent::zfs
