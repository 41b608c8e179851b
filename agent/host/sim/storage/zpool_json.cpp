/// `zpool status -j --json-int -v`.

#include <algorithm>
#include <array>
#include <cctype>
#include <nlohmann/json.hpp>

#include "agent/host/sim/storage/zpool_text.h"
#include "common/base/text.h"

namespace relab::agent::sim {

namespace {

using Json = nlohmann::ordered_json;

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char letter) {
    return static_cast<char>(std::toupper(letter));
  });
  return text;
}

/// The type alone has no parity.
std::string type_of(const zfs::Vdev& vdev) {
  if (vdev.kind.starts_with("raidz")) return "raidz";
  return vdev.kind.starts_with("draid") ? "draid" : vdev.kind;
}

/// What stands beside the tree, by the roles.
std::string key_of(const std::string& role) {
  if (role == "log") return "logs";
  if (role == "cache") return "l2cache";
  return role == "spare" ? "spares" : role;
}

void add_note(const zfs::Vdev& vdev, Json& json) {
  static constexpr std::array flags = {"removing", "noalloc", "resilver_deferred"};
  for (auto rest = std::string_view(vdev.note); !rest.empty();) {
    const auto end = std::min(rest.find(", "), rest.size());
    const auto part = rest.substr(0, end);
    rest = rest.substr(std::min(end + 2, rest.size()));
    if (part.starts_with("was "))
      json["was"] = part.substr(4);
    else if (part.starts_with("used by "))
      json["used_by"] = part.substr(8);
    else if (std::ranges::find(flags, part) != flags.end())
      json[std::string(part)] = true;
    else
      json["aux"] = part;
  }
}

Json vdev_json(const zfs::Vdev& vdev) {
  Json json = {{"name", vdev.name}, {"vdev_type", type_of(vdev)}};
  if (vdev.guid != 0) json["guid"] = vdev.guid;
  if (!vdev.path.empty() && !vdev.note.starts_with("was ")) json["path"] = vdev.path;
  json["class"] = vdev.role == "data" ? "normal" : vdev.role;
  json["state"] = vdev.state;
  if (vdev.role != "spare") {
    json["read_errors"] = vdev.read_errors;
    json["write_errors"] = vdev.write_errors;
    json["checksum_errors"] = vdev.checksum_errors;
  }
  add_note(vdev, json);
  return json;
}

/// With all that lies below it.
Json branch(const Pool& pool, std::size_t at) {
  auto json = vdev_json(pool.vdevs[at]);
  for (std::size_t i = 0; i < pool.vdevs.size(); ++i) {
    const auto& vdev = pool.vdevs[i];
    if (vdev.parent == at && (at != 0 || vdev.role == "data"))
      json["vdevs"][vdev.name] = branch(pool, i);
  }
  return json;
}

Json scan_json(const Pool& pool) {
  Json stats;
  for (const auto& scan : pool.scans) {
    const auto began = scan.started.unix_millis / 1000;
    const auto ended = scan.ended.unix_millis / 1000;
    const bool going = scan.state == "scanning" || scan.state == "paused";
    const auto paused = scan.state == "paused" ? 1 : 0;
    if (scan.function == "errorscrub") {
      stats["err_scrub_func"] = "ERRORSCRUB";
      stats["err_scrub_state"] = going ? "ERRORSCRUBBING" : upper(scan.state);
      stats["err_scrub_start_time"] = began;
      stats["err_scrub_end_time"] = ended;
      stats["err_scrub_pause"] = paused;
    } else if (scan.function == "rebuild") {
      stats["rebuild_stats"]["rebuild"] = {{"state", going                      ? "ACTIVE"
                                                     : scan.state == "finished" ? "COMPLETE"
                                                                                : "CANCELED"},
                                           {"start_time", began},
                                           {"end_time", ended},
                                           {"errors", scan.errors}};
    } else {
      stats["function"] = upper(scan.function);
      stats["state"] = going ? "SCANNING" : upper(scan.state);
      stats["start_time"] = began;
      stats["end_time"] = ended;
      stats["errors"] = scan.errors;
      stats["scrub_pause"] = paused;
    }
  }
  return stats;
}

/// "removal_stats: {...}; checkpoint_stats: {...}"
void add_notices(const Pool& pool, Json& json) {
  static constexpr std::array keys = {"removal_stats", "checkpoint_stats", "raidz_expand_stats"};
  const std::string_view text = pool.notices;
  for (const auto* key : keys) {
    const auto head = std::string(key) + ": ";
    const auto begin = text.find(head);
    if (begin == std::string_view::npos) continue;
    auto end = text.size();
    for (const auto* next : keys)
      if (const auto at = text.find(std::string("; ") + next, begin); at != std::string_view::npos)
        end = std::min(end, at);
    const auto value = text.substr(begin + head.size(), end - begin - head.size());
    auto parsed = Json::parse(value, nullptr, false);
    if (!parsed.is_discarded()) json[key] = std::move(parsed);
  }
}

Json pool_json(const Pool& pool) {
  Json json = {{"name", pool.name}, {"state", pool.state}, {"pool_guid", pool.guid}};
  if (!pool.status.empty()) json["status"] = pool.status;
  if (!pool.action.empty()) json["action"] = pool.action;
  if (!pool.message.empty()) json["msgid"] = pool.message;
  if (auto stats = scan_json(pool); !stats.is_null()) json["scan_stats"] = std::move(stats);
  add_notices(pool, json);
  if (!pool.vdevs.empty()) json["vdevs"][pool.vdevs[0].name] = branch(pool, 0);
  for (std::size_t i = 1; i < pool.vdevs.size(); ++i) {
    const auto& vdev = pool.vdevs[i];
    if (vdev.role != "data" && vdev.parent == std::size_t{0})
      json[key_of(vdev.role)][vdev.name] = branch(pool, i);
  }
  if (pool.data_errors) json["error_count"] = *pool.data_errors;
  if (!pool.damaged.empty()) json["errlist"] = pool.damaged;
  return json;
}

}  // namespace

std::string status_json(const std::vector<const Pool*>& pools) {
  Json all = Json::object();
  for (const auto* pool : pools) all[pool->name] = pool_json(*pool);
  return Json{{"output_version",
               {{"command", "zpool status"}, {"vers_major", 0}, {"vers_minor", 1}}},
              {"pools", all}}
             .dump() +
         "\n";
}

}  // namespace relab::agent::sim
