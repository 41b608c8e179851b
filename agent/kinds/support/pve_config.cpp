#include "agent/kinds/support/pve_config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent {

namespace {

using Value = std::pair<std::string, std::string>;

constexpr double size_max = 9.0e18;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_true(std::string_view text) {
  return text == "1" || text == "on" || text == "yes" || text == "true";
}

std::string find_value(const std::vector<Value>& values, std::string_view key) {
  const auto found = std::ranges::find(values, key, &Value::first);
  return found == values.end() ? std::string() : found->second;
}

/// Digits with at most one point in them.
std::optional<double> parse_decimal(std::string_view text) {
  double number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (code != std::errc{} || stop != end || !is_digit(text.front())) return {};
  return number;
}

/// Notes are stored with %XX for what would break a line.
std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text[i] == '%' && i + 2 < text.size()
                          ? parse_number<std::uint8_t>(text.substr(i + 1, 2), 16)
                          : Result<std::uint8_t>(fail(Fault::invalid, ""));
    if (code) i += 2;
    decoded += code ? static_cast<char>(*code) : text[i];
  }
  return decoded;
}

void add_note(PveSection& section, std::string_view text) {
  if (!section.description.empty()) section.description += '\n';
  section.description += percent_decoded(text);
}

bool is_key(std::string_view key) {
  const auto [stem, number] = split_key(key);
  return !stem.empty() && is_lower(stem.front()) &&
         std::ranges::all_of(stem, [](char c) { return is_lower(c) || c == '_' || c == '-'; });
}

bool is_raw_key(std::string_view key) {
  return key.starts_with("lxc.") && std::ranges::all_of(key, [](char c) {
           return is_lower(c) || is_digit(c) || c == '.' || c == '_' || c == '-' ||
                  (c >= 'A' && c <= 'Z');
         });
}

/// "key: value"; raw lxc lines may have "=" instead.
bool parse_line(std::string_view line, PveSection& section) {
  const auto end = line.find_first_of(line.starts_with("lxc.") ? ":=" : ":");
  if (end == std::string_view::npos) return false;
  const auto key = trim(line.substr(0, end));
  const auto value = trim(line.substr(end + 1));
  if (!is_key(key) && !is_raw_key(key)) return false;
  if (key == "description")
    add_note(section, value);
  else
    section.values.emplace_back(std::string(key), std::string(value));
  return true;
}

/// The name between the brackets of a section's head.
std::optional<std::string_view> head_of(std::string_view line) {
  const auto text = trim(line);
  if (text.size() < 3 || text.front() != '[' || text.back() != ']') return {};
  return text.substr(1, text.size() - 2);
}

bool is_pending(std::string_view head, GuestType type) {
  if (type == GuestType::lxc) return head == "pve:pending";
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(head, std::string_view("pending"), {}, lower);
}

/// mpN of a bare volume or path; `volume=` may be written out.
std::optional<GuestMount> mount_of(const Value& value) {
  const auto [stem, number] = split_key(value.first);
  if (value.first != "rootfs" && (stem != "mp" || !number)) return {};
  const Properties properties(value.second, "volume");
  GuestMount mount{.key = value.first,
                   .source = properties.value("volume"),
                   .path = value.first == "rootfs" ? "/" : tidied(properties.value("mp")),
                   .options = {}};
  if (mount.of_host()) mount.source = tidied(mount.source);
  mount.read_only = properties.truth("ro");
  // Bind and device mounts are never taken, whatever `backup` says.
  mount.backup = !mount.of_host() && (value.first == "rootfs" || properties.truth("backup"));
  mount.size = parse_pve_size(properties.value("size"));
  for (const auto& [key, text] : properties.all())
    if (key != "volume" && key != "mp" && key != "size" && key != "ro" && key != "backup")
      mount.options += fmt::format("{}{}={}", mount.options.empty() ? "" : ",", key, text);
  return mount;
}

bool has_option(std::string_view options, std::string_view option) {
  const auto parts = split(options, ',');
  return std::ranges::find(parts, option) != parts.end();
}

/// "SOURCE TARGET TYPE OPTIONS [0 0]", the target relative to the root file system.
std::optional<GuestMount> raw_mount_of(const Value& value) {
  if (value.first != "lxc.mount.entry") return {};
  const auto parts = words(value.second);
  if (parts.size() < 4 || !parts[0].starts_with('/')) return {};
  if (!has_option(parts[3], "bind") && !has_option(parts[3], "rbind")) return {};
  return GuestMount{.key = value.first,
                    .source = std::string(parts[0]),
                    .path = (parts[1].starts_with('/') ? "" : "/") + std::string(parts[1]),
                    .options = std::string(parts[3]),
                    .read_only = has_option(parts[3], "ro")};
}

}  // namespace

std::string tidied(const std::string& path) {
  if (path.empty()) return path;
  auto tidy = (std::filesystem::path("/") / path).lexically_normal().string();
  if (tidy.size() > 1 && tidy.ends_with('/')) tidy.pop_back();
  return tidy;
}

bool GuestMount::recursive() const {
  return key == "lxc.mount.entry" && has_option(options, "rbind");
}

std::string_view name(GuestType type) { return type == GuestType::lxc ? "lxc" : "qemu"; }

std::string PveSection::value(std::string_view key) const { return find_value(values, key); }
bool PveSection::truth(std::string_view key) const { return is_true(value(key)); }

PveConfig parse_pve_config(std::string_view text, GuestType type) {
  PveConfig config;
  PveSection unused;
  auto* section = &config.current;
  std::size_t number = 0;
  for (const auto line : lines(text)) {
    ++number;
    if (trim(line).empty()) continue;
    if (line.front() == '#') {
      add_note(*section, line.substr(1));
    } else if (const auto head = head_of(line)) {
      // Cloud-init and fleecing state is kept in further sections with a colon in their names.
      const bool special = head->find(':') != std::string_view::npos;
      if (!is_pending(*head, type) && !special)
        config.snapshots.push_back({.name = std::string(*head), .description = {}, .values = {}});
      section = is_pending(*head, type) ? &config.pending
                : special               ? &unused
                                        : &config.snapshots.back();
    } else if (!parse_line(line, *section)) {
      config.bad_lines.push_back(number);
    }
  }
  return config;
}

Properties::Properties(std::string_view text, std::string_view default_key) {
  if (text.empty()) return;
  for (const auto part : split(text, ',')) {
    const auto equals = part.find('=');
    if (equals == std::string_view::npos)
      values_.emplace_back(std::string(default_key), std::string(trim(part)));
    else
      values_.emplace_back(std::string(trim(part.substr(0, equals))),
                           std::string(trim(part.substr(equals + 1))));
  }
}

std::string Properties::value(std::string_view key) const { return find_value(values_, key); }
bool Properties::truth(std::string_view key) const { return is_true(value(key)); }

std::optional<std::uint64_t> parse_pve_size(std::string_view text) {
  constexpr std::string_view units = "KMGT";
  double factor = 1;
  if (!text.empty() && !is_digit(text.back())) {
    const auto unit = units.find(text.back());
    if (unit == std::string_view::npos) return {};
    factor = std::pow(1024.0, static_cast<double>(unit + 1));
    text.remove_suffix(1);
  }
  const auto number = parse_decimal(text);
  if (!number || *number * factor > size_max) return {};
  return static_cast<std::uint64_t>(*number * factor);
}

std::pair<std::string_view, std::optional<unsigned>> split_key(std::string_view key) {
  auto end = key.size();
  while (end > 0 && is_digit(key[end - 1])) --end;
  if (end == key.size()) return {key, {}};
  const auto number = parse_number<unsigned>(key.substr(end));
  return {key.substr(0, end), number ? std::optional(*number) : std::nullopt};
}

std::vector<GuestMount> container_mounts(const PveSection& section) {
  std::vector<GuestMount> mounts;
  for (const auto& value : section.values) {
    if (auto mount = mount_of(value)) mounts.push_back(std::move(*mount));
    if (auto mount = raw_mount_of(value)) mounts.push_back(std::move(*mount));
  }
  return mounts;
}

}  // namespace relab::agent
