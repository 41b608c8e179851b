#include "agent/kinds/pbs/server_config.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::pbs {

namespace {

constexpr std::uint64_t seconds_max = UINT64_MAX / 1000;

ConfigSection section_of(const Json& item, const ConfigList& list) {
  ConfigSection section{.type = std::string(list.type), .id = text_of(item, "name"), .values = {}};
  if (section.id.empty()) section.id = text_of(item, "id");
  for (const auto& [key, value] : item.items()) section.values.emplace_back(key, text_of(value));
  return section;
}

/// A task's id has its start in hexadecimal seconds before the kind of task.
std::uint64_t start_in(std::string_view upid) {
  const auto fields = split(upid, ':');
  const auto kind = std::ranges::find(fields, std::string_view("garbage_collection"));
  if (kind == fields.end() || kind == fields.begin()) return 0;
  const auto seconds = parse_number<std::uint64_t>(*std::prev(kind), 16);
  return seconds && *seconds <= seconds_max ? *seconds * 1000 : 0;
}

}  // namespace

Result<std::vector<ConfigSection>> parse_config_file(std::string_view text,
                                                     const ConfigList& list) {
  RELAB_TRY(auto sections, parse_section_config(text, list.file));
  for (const auto& section : sections)
    if (section.type != list.type)
      return fail(Fault::damaged,
                  fmt::format("{} has a section of type '{}'", list.file, section.type));
  return sections;
}

Result<std::vector<ConfigSection>> parse_config_json(std::string_view text,
                                                     const ConfigList& list) {
  const auto what = fmt::format("proxmox-backup-manager {} list", list.command);
  RELAB_TRY(const auto json, parse_json(text, what));
  if (!json.is_array()) return fail(Fault::damaged, what + " printed no list");
  std::vector<ConfigSection> sections;
  for (const auto& item : json) {
    if (!item.is_object()) return fail(Fault::damaged, what + " printed something without a name");
    sections.push_back(section_of(item, list));
    if (sections.back().id.empty())
      return fail(Fault::damaged, what + " printed something without a name");
  }
  return sections;
}

Result<GcStatus> parse_gc_status(std::string_view text) {
  RELAB_TRY(const auto json, parse_json(text, ".gc-status"));
  if (!json.is_object()) return fail(Fault::damaged, ".gc-status is no object");
  return GcStatus{.started = start_in(text_of(json, "upid")),
                  .disk_bytes = number_of(json, "disk-bytes").value_or(0),
                  .pending_bytes = number_of(json, "pending-bytes").value_or(0)};
}

std::uint32_t count_of(const ConfigSection& section, std::string_view key) {
  const auto number = parse_number<std::uint32_t>(section.value(key));
  return number ? *number : 0;
}

}  // namespace relab::agent::pbs
