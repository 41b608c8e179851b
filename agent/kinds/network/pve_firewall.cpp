#include "agent/kinds/network/pve_firewall.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>

#include "common/base/text.h"

namespace relab::agent::network {

namespace {

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  return small;
}

/// "[IPSET management] # comment" as "ipset management"; "" for what is no head.
std::string section_of(std::string_view line) {
  const auto end = line.find(']');
  if (!line.starts_with('[') || end == std::string_view::npos) return {};
  const auto parts = words(line.substr(1, end - 1));
  if (parts.empty()) return {};
  const auto kind = lower(parts[0]);
  const bool is_named = kind == "ipset" || kind == "group";
  const bool is_plain = kind == "options" || kind == "aliases" || kind == "rules";
  if (is_named && parts.size() == 2) return fmt::format("{} {}", kind, lower(parts[1]));
  return is_plain && parts.size() == 1 ? kind : std::string();
}

Result<void> add_option(std::string_view line, FirewallFile& file) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0)
    return fail(Fault::damaged, "an option without a value");
  file.options.emplace_back(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  return {};
}

Result<void> add_line(std::string_view section, std::string_view line, FirewallFile& file) {
  if (section.empty()) return fail(Fault::damaged, "a line outside of any section");
  if (section == "options") return add_option(line, file);
  const bool is_off = line.starts_with('|');
  file.lines.push_back({.section = std::string(section),
                        .line = std::string(trim(line.substr(is_off ? 1 : 0))),
                        .enabled = !is_off});
  return {};
}

}  // namespace

Result<FirewallFile> parse_firewall(std::string_view text) {
  FirewallFile file;
  std::string section;
  std::size_t number = 0;
  for (const auto whole : lines(text)) {
    ++number;
    const auto line = trim(whole);
    if (line.empty() || line.starts_with('#')) continue;
    if (line.starts_with('[')) {
      section = section_of(line);
      if (section.empty())
        return fail(Fault::damaged, fmt::format("line {}: no section that Proxmox knows", number));
      continue;
    }
    RELAB_CHECK(add_line(section, line, file).during(fmt::format("line {}", number)));
  }
  return file;
}

Result<std::string> parse_firewall_status(std::string_view text) {
  constexpr std::string_view head = "Status:";
  for (const auto line : lines(text))
    if (line.starts_with(head) && !trim(line.substr(head.size())).empty())
      return std::string(trim(line.substr(head.size())));
  return fail(Fault::damaged, "pve-firewall printed no status");
}

}  // namespace relab::agent::network
