#include "agent/kinds/system/rights.h"

#include <algorithm>
#include <fmt/format.h>

#include "common/base/number.h"
#include "common/base/text.h"

namespace relab::agent::system {

namespace {

Result<std::uint32_t> resolve_id(Host& host, const char* table, const std::string& name) {
  if (const auto number = parse_number<std::uint32_t>(name)) return *number;
  RELAB_TRY(const auto text, host.read_file(table));
  if (const auto id = parse_id(text, name)) return *id;
  return fail(Fault::missing, fmt::format("there is no '{}' in {}", name, table),
              "install what brings it, or give a number");
}

}  // namespace

std::optional<std::uint32_t> parse_id(std::string_view table, std::string_view name) {
  constexpr std::size_t number = 2;
  for (const auto line : lines(table)) {
    const auto columns = split(line, ':');
    if (columns.size() <= number || columns[0] != name) continue;
    if (const auto id = parse_number<std::uint32_t>(columns[number])) return *id;
  }
  return {};
}

Result<Rights> resolve(Host& host, const WantedRights& wanted) {
  constexpr std::uint32_t mode_max = 07777;
  const auto mode = parse_number<std::uint32_t>(wanted.mode, 8);
  if (!mode || *mode > mode_max)
    return fail(Fault::invalid, fmt::format("'{}' is no mode of a file", wanted.mode));
  RELAB_TRY(const auto uid, resolve_id(host, "/etc/passwd", wanted.owner));
  RELAB_TRY(const auto gid, resolve_id(host, "/etc/group", wanted.group));
  return Rights{.uid = uid, .gid = gid, .mode = *mode};
}

Result<void> check_path(std::string_view path) {
  const Path parsed(path);
  const bool plain = std::ranges::none_of(
      path, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (plain && parsed.is_absolute() && parsed.has_filename() &&
      parsed.lexically_normal().string() == path)
    return {};
  return fail(Fault::invalid, fmt::format("'{}' is no absolute path", clean_text(path)));
}

Result<std::string> obstacle_on_the_way(Host& host, const Path& path) {
  Path walked = "/";
  for (const auto& part : path.parent_path().relative_path()) {
    walked /= part;
    const auto status = host.status(walked);
    if (!status && status.error().fault == Fault::missing) return std::string();
    if (!status) return fail(status.error());
    if (status->type != FileType::directory)
      return fmt::format("{} on the way to it is a {}", walked.string(), name(status->type));
  }
  return std::string();
}

void store(const Rights& rights, schema::Rights::Builder into) {
  into.setUid(rights.uid);
  into.setGid(rights.gid);
  into.setMode(rights.mode);
}

Rights load(schema::Rights::Reader rights) {
  return {.uid = rights.getUid(), .gid = rights.getGid(), .mode = rights.getMode()};
}

std::string words_of(const Rights& rights) {
  return fmt::format("{}:{} {:04o}", rights.uid, rights.gid, rights.mode);
}

std::string to_text(const Rights& rights) {
  return fmt::format("{} {} {}", rights.uid, rights.gid, rights.mode);
}

Rights from_text(std::string_view text) {
  const auto parts = words(text);
  RELAB_ASSERT(parts.size() == 3);
  const auto number = [&](std::size_t i) {
    const auto parsed = parse_number<std::uint32_t>(parts[i]);
    RELAB_ASSERT(parsed.has_value());
    return *parsed;
  };
  return {.uid = number(0), .gid = number(1), .mode = number(2)};
}

std::string_view name(FileType type) {
  switch (type) {
    case FileType::regular:
      return "file";
    case FileType::directory:
      return "folder";
    case FileType::symlink:
      return "symbolic link";
    case FileType::block:
    case FileType::character:
      return "device";
    case FileType::other:
      return "socket or pipe";
  }
  return {};
}

}  // namespace relab::agent::system
