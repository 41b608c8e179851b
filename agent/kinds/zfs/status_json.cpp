/// `zpool status -j --json-int -v`: one object a pool; the classes other than normal data stand
/// beside the tree.

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

#include "agent/kinds/support/json.h"
#include "agent/kinds/zfs/status.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> classes = {
    {{"dedup", "dedup"},
     {"special", "special"},
     {"logs", "log"},
     {"l2cache", "cache"},
     {"spares", "spare"}}};

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string kind_of(const Json& json, const std::string& name) {
  const auto type = text_of(json, "vdev_type");
  // The type alone has no parity.
  if (type != "raidz" && type != "draid") return type;
  const auto kind = group_kind(name);
  return kind.empty() ? type : kind;
}

std::string note_of(const Json& json) {
  std::vector<std::string> notes;
  if (const auto was = text_of(json, "was"); !was.empty()) notes.push_back("was " + was);
  if (const auto aux = text_of(json, "aux"); !aux.empty()) notes.push_back(lower(aux));
  if (const auto by = text_of(json, "used_by"); !by.empty()) notes.push_back("used by " + by);
  for (const auto* key : {"removing", "noalloc", "resilver_deferred"})
    if (truth_of(json, key)) notes.emplace_back(key);
  return fmt::format("{}", fmt::join(notes, ", "));
}

Result<Vdev> vdev_from(const Json& json) {
  const auto name = text_of(json, "name");
  Vdev vdev = {.name = name, .kind = kind_of(json, name)};
  vdev.state = text_of(json, "state");
  if (vdev.name.empty() || vdev.kind.empty() || vdev.state.empty())
    return fail(Fault::damaged, "zpool status told a vdev without name, type or state");
  vdev.guid = number_of(json, "guid").value_or(0);
  vdev.path = text_of(json, "path");
  if (vdev.path.empty()) vdev.path = text_of(json, "was");
  vdev.note = note_of(json);
  return vdev;
}

/// Spares have no counters; every other vdev must tell its own.
Result<void> read_counters(const Json& json, Vdev& vdev) {
  const auto read = number_of(json, "read_errors");
  const auto write = number_of(json, "write_errors");
  const auto checksum = number_of(json, "checksum_errors");
  if (!read || !write || !checksum)
    return fail(Fault::damaged,
                fmt::format("zpool status told no error counters of vdev {}", vdev.name));
  vdev.read_errors = *read;
  vdev.write_errors = *write;
  vdev.checksum_errors = *checksum;
  return {};
}

struct Place {
  std::size_t depth = 0;
  std::optional<std::size_t> parent = {};
  std::string_view role = "data";
};

Result<void> add_vdev(const Json& json, Place place, std::vector<Vdev>& vdevs) {
  if (place.depth > depth_max || vdevs.size() >= vdevs_max)
    return fail(Fault::damaged, "zpool status told a layout beyond all bounds");
  RELAB_TRY(auto vdev, vdev_from(json));
  if (place.role != "spare") RELAB_CHECK(read_counters(json, vdev));
  vdev.depth = place.depth;
  vdev.parent = place.parent;
  vdev.role = std::string(place.role);
  const auto index = vdevs.size();
  vdevs.push_back(std::move(vdev));
  for (const auto& child : member(json, "vdevs"))
    RELAB_CHECK(
        add_vdev(child, {.depth = place.depth + 1, .parent = index, .role = place.role}, vdevs));
  return {};
}

Result<std::vector<Vdev>> layout_of(const Json& pool) {
  const auto& roots = member(pool, "vdevs");
  std::vector<Vdev> vdevs;
  if (!roots.is_object() || roots.size() != 1)
    return fail(Fault::damaged, "zpool status told no layout");
  RELAB_CHECK(add_vdev(*roots.begin(), {}, vdevs));
  for (const auto& [key, role] : classes)
    for (const auto& child : member(pool, key))
      RELAB_CHECK(add_vdev(child, {.depth = 1, .parent = 0, .role = role}, vdevs));
  return vdevs;
}

Moment moment_of(const Json& json, std::string_view key) {
  return {.unix_millis = number_of(json, key).value_or(0) * 1000};
}

std::string state_of(const Json& json, std::string_view state_key, std::string_view pause_key) {
  const auto state = lower(text_of(json, state_key));
  const bool running = state == "scanning" || state == "errorscrubbing" || state == "active";
  if (running && number_of(json, pause_key).value_or(0) != 0) return "paused";
  if (running) return "scanning";
  if (state == "complete") return "finished";
  return state == "finished" || state == "canceled" ? state : "unknown";
}

Scan main_scan(const Json& json) {
  Scan scan = {.function = lower(text_of(json, "function")),
               .state = state_of(json, "state", "scrub_pause"),
               .started = moment_of(json, "start_time"),
               .errors = number_of(json, "errors").value_or(0)};
  if (scan.state == "finished" || scan.state == "canceled")
    scan.ended = moment_of(json, "end_time");
  if (!number_of(json, "errors")) scan.state = "unknown";
  return scan;
}

std::vector<Scan> scans_of(const Json& pool) {
  std::vector<Scan> scans;
  const auto& stats = member(pool, "scan_stats");
  if (const auto function = text_of(stats, "function"); !function.empty() && function != "NONE")
    scans.push_back(main_scan(stats));
  if (!text_of(stats, "err_scrub_func").empty())
    scans.push_back({.function = "errorscrub",
                     .state = state_of(stats, "err_scrub_state", "err_scrub_pause"),
                     .started = moment_of(stats, "err_scrub_start_time"),
                     .ended = moment_of(stats, "err_scrub_end_time")});
  for (const auto& rebuild : member(stats, "rebuild_stats"))
    scans.push_back({.function = "rebuild",
                     .state = state_of(rebuild, "state", ""),
                     .started = moment_of(rebuild, "start_time"),
                     .ended = moment_of(rebuild, "end_time"),
                     .errors = number_of(rebuild, "errors").value_or(0)});
  return scans;
}

std::string notices_of(const Json& pool) {
  std::vector<std::string> notices;
  for (const auto* key : {"removal_stats", "checkpoint_stats", "raidz_expand_stats"})
    if (const auto& stats = member(pool, key); !stats.is_null())
      notices.push_back(fmt::format(
          "{}: {}", key, clean_text(stats.dump(-1, ' ', false, Json::error_handler_t::replace))));
  return fmt::format("{}", fmt::join(notices, "; "));
}

std::vector<std::string> damaged_of(const Json& pool) {
  std::vector<std::string> damaged;
  for (const auto& object : member(pool, "errlist"))
    if (damaged.size() < damaged_max) damaged.push_back(text_of(object));
  return damaged;
}

Result<PoolStatus> pool_from(const Json& json) {
  PoolStatus pool = {.name = text_of(json, "name")};
  pool.guid = number_of(json, "pool_guid").value_or(0);
  pool.state = text_of(json, "state");
  if (pool.name.empty() || pool.guid == 0 || pool.state.empty())
    return fail(Fault::damaged, "zpool status told a pool without name, GUID or state");
  pool.status = one_line(text_of(json, "status"));
  pool.action = one_line(text_of(json, "action"));
  pool.message = text_of(json, "msgid");
  pool.notices = notices_of(json);
  pool.data_errors = number_of(json, "error_count");
  pool.damaged = damaged_of(json);
  pool.scans = scans_of(json);
  RELAB_TRY(pool.vdevs, layout_of(json).during("reading pool " + pool.name));
  return pool;
}

}  // namespace

Result<std::vector<PoolStatus>> parse_status_json(std::string_view text) {
  RELAB_TRY(const auto root, parse_json(text, "zpool status"));
  const auto& pools = member(root, "pools");
  if (!pools.is_object()) return fail(Fault::damaged, "zpool status printed no object of pools");
  std::vector<PoolStatus> statuses;
  for (const auto& json : pools) {
    RELAB_TRY(auto pool, pool_from(json));
    statuses.push_back(std::move(pool));
  }
  return statuses;
}

}  // namespace relab::agent::zfs
